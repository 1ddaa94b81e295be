"""What happened to items: kept as their trail, and told to whoever listens to the topic ``task-item-changed``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel

from shared.db.database import Transaction

TOPIC: Final = "task-item-changed"

Origin = Literal["person", "automation", "schedule", "monday"]
"""Whose hand it was. Automations answer to persons only, so that they never set each other off."""

What = Literal[
    "created",
    "name",
    "status",
    "due_date",
    "is_voicemail",
    "needs_attention",
    "group_id",
    "archived",
    "restored",
    "assignee_added",
    "assignee_removed",
]


class Change(BaseModel):
    """One thing that is otherwise now. Of columns: old and new value (dates as YYYY-MM-DD, ids as text); of
    ``assignee_added`` the user's id is ``new``, of ``assignee_removed`` it is ``old``."""

    what: What
    old: str | bool | None = None
    new: str | bool | None = None


class ItemChanged(BaseModel):
    """The fact of topic ``task-item-changed``: everything that one step changed about one item."""

    item_id: UUID
    board_id: UUID
    changes: list[Change]
    by: UUID | None  # None: nobody who is signed in
    origin: Origin


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: a person, or what acts without one."""

    user_id: UUID | None
    origin: Origin = "person"


async def record(tx: Transaction, actor: Actor, facts: Sequence[tuple[UUID, UUID, list[Change]]]) -> None:
    """Keep and tell what changed of each item (item id, board id, changes); items without changes are left out."""
    told = [
        ItemChanged(item_id=item_id, board_id=board_id, changes=changes, by=actor.user_id, origin=actor.origin)
        for item_id, board_id, changes in facts
        if changes
    ]
    if not told:
        return
    payloads = [fact.model_dump(mode="json") for fact in told]
    await tx.execute(
        """
        insert into task_item_changes (item_id, user_id, origin, changes)
        select (fact ->> 'item_id')::uuid, $1, $2, fact -> 'changes' from unnest($3::jsonb[]) fact
        """,
        actor.user_id,
        actor.origin,
        payloads,
    )
    await tx.publish_all(TOPIC, payloads)
