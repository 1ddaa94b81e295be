"""What a task has here and what its item has at monday.com, and what both should have. Pure.

The rule, field by field, against what both sides were last known to have: who alone changed a field wins; where both
did, ours does. Its reasons: docs/decisions, "Whose task counts".
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.areas.monday.models import Item, MondaySettings

NAME_LENGTH = 255  # monday.com's bound
CLOCKS = timedelta(minutes=2)  # how far monday.com's clock, or what its lists show, may be behind
DEFAULT_STATUS = "To Do"  # what an item without a status has here


@dataclass(frozen=True, slots=True)
class State:
    """A task as both sides can hold it. ``due_date``: YYYY-MM-DD or empty."""

    name: str
    status: str
    due_date: str
    archived: bool

    @classmethod
    def of(cls, name: str, status: str, due_date: object, archived: bool) -> State:
        """With what only one side can hold evened out: longer names, no status at all."""
        return cls(name[:NAME_LENGTH].strip(), status.strip() or DEFAULT_STATUS, str(due_date or ""), archived)

    @classmethod
    def read(cls, told: Mapping[str, Any] | None) -> State | None:
        return cls(**told) if told else None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def state_of(item: Item, chosen: MondaySettings, ours: State | None = None) -> State:
    """What an item at monday.com has. A column that its board lacks has what *ours* has: it cannot differ."""
    status, due = chosen.monday_status_column_id, chosen.monday_due_date_column_id
    return State.of(
        item.name,
        item.text(status) if status and status in item.values else (ours.status if ours else ""),
        item.day(due) if due and due in item.values else (ours.due_date if ours else ""),
        not item.is_active,
    )


def merge(base: State | None, ours: State, theirs: State) -> State:
    """What both should have. Without a base, they met for the first time: monday.com's item counts as the older one."""
    if base is None:
        return ours
    chosen = {
        name: mine if mine != known else other
        for (name, mine), known, other in zip(
            asdict(ours).items(), asdict(base).values(), asdict(theirs).values(), strict=True
        )
    }
    return replace(ours, **chosen)


def has_changed(looked_at: datetime, newest: datetime | None) -> bool:
    """Whether what monday.com says was done last on a board may be news to whoever read it at *looked_at*."""
    return newest is not None and newest > looked_at - CLOCKS


def column_values(before: State | None, after: State, chosen: MondaySettings) -> dict[str, Any]:
    """The columns to set at monday.com, without the name, so that an item that has *before* has *after*."""
    values: dict[str, Any] = {}
    status, due = chosen.monday_status_column_id, chosen.monday_due_date_column_id
    if status and (before is None or before.status != after.status):
        values[status] = {"label": after.status}
    if due and (before.due_date if before else "") != after.due_date:
        values[due] = {"date": after.due_date} if after.due_date else None
    return values


def request_values(chosen: MondaySettings, request: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a request's item: whose it is, who is to do it, its status and due date. Spec api-leads §3."""
    values: dict[str, Any] = {}
    if chosen.monday_client_column_id and request["client_identifier_value"]:
        values[chosen.monday_client_column_id] = request["client_identifier_value"]
    person = request["person_override"] or request["account_manager_person_id"] or chosen.monday_person_id
    if chosen.monday_person_column_id and person and person.isascii() and person.isdigit():
        values[chosen.monday_person_column_id] = {"personsAndTeams": [{"id": int(person), "kind": "person"}]}
    label = chosen.monday_rush_status_label if request["rush"] else chosen.monday_status_label
    if chosen.monday_status_column_id and label:
        values[chosen.monday_status_column_id] = {"label": label}
    if chosen.monday_due_date_column_id and request["due_date"]:
        values[chosen.monday_due_date_column_id] = {"date": str(request["due_date"])}
    return values


def request_update(request: Mapping[str, Any]) -> str:
    """The comment on a request's item, as text; empty when there is nothing to say."""
    lines = [request["description"] or ""]
    if request["due_date"]:
        lines.append(f"Due date: {request['due_date']}")
    if request["rush"]:
        lines.append("This is a rush job.")
    return "\n".join(line for line in lines if line)


def as_html(text: str) -> str:
    """A text as the body of a comment."""
    return html.escape(text, quote=False).replace("\n", "<br>")


def same_text(one: str, other: str) -> bool:
    """Whether two comments say the same, whatever became of their white space on the way."""
    return "".join(one.split()) == "".join(other.split())


def is_clients(item: Item, chosen: MondaySettings, client: Mapping[str, Any]) -> bool:
    """Whether an item in a client's group is that client's: in a group of several, only a column can say so."""
    if not client["shared"]:
        return True
    column, identifier = chosen.monday_client_column_id, client["client_identifier_value"]
    if not column or not identifier:
        return False
    return item.text(column).strip().casefold() == str(identifier).strip().casefold()
