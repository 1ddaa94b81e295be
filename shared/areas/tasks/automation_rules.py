"""What an automation may be made of, and when its trigger holds: pure, and the same for saving and for running.

Source: spec api-tasks §9. A stored configuration is read by the same models as a new one, so a rule of the old server
that could never have worked says so in its run instead of doing something else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, ValidationError

from shared.areas.text import blank_is_none
from shared.errors import Invalid

STATUS_CHANGE: Final = "status_change"
ASSIGNEE_ADDED: Final = "assignee_added"
DUE_DATE: Final = "due_date_relative"
NOTIFY_ADMINS: Final = "notify_admins"
NOTIFY_ASSIGNEES: Final = "notify_assignees"
SET_STATUS: Final = "set_status"
SET_NEEDS_ATTENTION: Final = "set_needs_attention"
ADD_UPDATE: Final = "add_update"

TriggerType = Literal["status_change", "assignee_added", "due_date_relative"]
ActionType = Literal["notify_admins", "notify_assignees", "set_status", "set_needs_attention", "add_update"]

# Codes that statuses had before labels had texts; rules and the dashboard's templates still carry them.
_CODES: Final = {
    "todo": "To Do",
    "working": "Working on it",
    "blocked": "Stuck",
    "done": "Done",
    "needs_attention": "Needs Attention",
}


def status_text(status: str) -> str:
    """A status as items carry it: trimmed, an old code as the text of its label."""
    told = status.strip()
    return _CODES.get(told, told)


def _app_path(path: str) -> str:
    """A page of the dashboard: a notice never leads anywhere else."""
    if not re.fullmatch(r"/(?![/\\])[^\s\\]*", path):
        raise ValueError("must be a page of the dashboard, such as /tasks")
    return path


def _whole_number(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, str) and not re.fullmatch(r"\s*-?\d{1,4}\s*", value)):
        raise ValueError("must be a whole number of days")
    return value


Status = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(status_text)
]


def _one_line(text: str) -> str:
    """A subject of a mail has no line breaks."""
    return " ".join(text.split())


_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_one_line)]
_Lines = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]


class OnStatusChange(BaseModel):
    """``to_status`` None: any new status."""

    to_status: Annotated[Status | None, BeforeValidator(blank_is_none)] = None


class OnAssigneeAdded(BaseModel):
    """Nothing to choose."""


class OnDueDate(BaseModel):
    """``days_from_due``: −10 is ten days before the due date, 1 the day after it."""

    days_from_due: Annotated[int, BeforeValidator(_whole_number), Field(ge=-365, le=365)]


class Notify(BaseModel):
    """What is left empty is told from the item."""

    title: Annotated[_Line | None, BeforeValidator(blank_is_none)] = None
    body: Annotated[_Lines | None, BeforeValidator(blank_is_none)] = None
    link_url: Annotated[Annotated[_Lines, AfterValidator(_app_path)] | None, BeforeValidator(blank_is_none)] = None


class SetStatus(BaseModel):
    status: Status


class SetNeedsAttention(BaseModel):
    value: bool


class AddUpdate(BaseModel):
    content: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


Trigger = OnStatusChange | OnAssigneeAdded | OnDueDate
Action = Notify | SetStatus | SetNeedsAttention | AddUpdate

TRIGGERS: Final[dict[str, type[Trigger]]] = {
    STATUS_CHANGE: OnStatusChange,
    ASSIGNEE_ADDED: OnAssigneeAdded,
    DUE_DATE: OnDueDate,
}
ACTIONS: Final[dict[str, type[Action]]] = {
    NOTIFY_ADMINS: Notify,
    NOTIFY_ASSIGNEES: Notify,
    SET_STATUS: SetStatus,
    SET_NEEDS_ATTENTION: SetNeedsAttention,
    ADD_UPDATE: AddUpdate,
}


def trigger_of(kind: str, config: Mapping[str, Any]) -> Trigger:
    """The trigger that a rule tells; Invalid names what is wrong with it."""
    found: Trigger = _read(TRIGGERS, kind, config, "trigger")
    return found


def action_of(kind: str, config: Mapping[str, Any]) -> Action:
    """The action that a rule tells; Invalid names what is wrong with it."""
    found: Action = _read(ACTIONS, kind, config, "action")
    return found


def _read(known: Mapping[str, type[Any]], kind: str, config: Mapping[str, Any], part: str) -> Any:
    if kind not in known:
        raise Invalid.field(f"{part}_type", f"must be one of {', '.join(known)}")
    try:
        return known[kind].model_validate(config)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = ".".join([f"{part}_config", *map(str, found["loc"])])
        message = "is required" if found["type"] == "missing" else found["msg"].removeprefix("Value error, ")
        raise Invalid.field(field, message) from None


def status_matches(trigger: OnStatusChange, to_status: str) -> bool:
    """Whether a new status is the one that is waited for; labels are the same in any case, so rules are too."""
    return trigger.to_status is None or trigger.to_status.casefold() == status_text(to_status).casefold()


def due_day(trigger: OnDueDate, today: date) -> date:
    """The due date of the items that a rule is about today."""
    return today - timedelta(days=trigger.days_from_due)


def due_fingerprint(days_from_due: int, due_date: date) -> str:
    """What makes a due-date run of a rule and an item the only one."""
    return f"{DUE_DATE}:{days_from_due}:{due_date.isoformat()}"


def change_fingerprint(trigger_type: str, change_id: str) -> str:
    """The same of a change: delivered again, it has run."""
    return f"{trigger_type}:{change_id}"
