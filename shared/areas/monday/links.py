"""One thing of ours and its item at monday.com: who is at work on it, and creating the item exactly once.

monday.com has no idempotency key. So a try is counted before it is made, and every further one first looks for an item
of that name, on that board, made by our token since, and linked to nothing of ours. A lease keeps two from working on
one link.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.areas.monday.models import Item, Monday
from shared.db.database import Database, Executor, Record
from shared.errors import Rejected, TryLater

LEASE = timedelta(seconds=110)  # longer than a task's run
_AFTERMATH = timedelta(seconds=30)  # in which a request that had no answer may still arrive
_SKEW = timedelta(minutes=5)  # how far monday.com's clock may be behind ours


class LeaseHeld(TryLater):
    """Somebody else works on this link."""

    def __init__(self) -> None:
        super().__init__("link", reason="another run is at work")


@asynccontextmanager
async def leased(db: Database, link_id: UUID) -> AsyncIterator[Record]:
    """The link's row, for one at a time; LeaseHeld for everybody else.

    After a request without an answer the lease goes on for a while: what was asked may still be done, and whoever looks
    for it should find it.
    """
    link = await db.fetchrow(
        """
        update monday_links set lease_until = now() + $2
        where id = $1 and (lease_until is null or lease_until < now()) returning *
        """,
        link_id,
        LEASE,
    )
    if link is None:
        raise LeaseHeld
    pause = None
    try:
        yield link
    except BaseException as error:
        pause = _AFTERMATH if _is_unanswered(error) else None
        raise
    finally:
        await db.execute("update monday_links set lease_until = now() + $2::interval where id = $1", link_id, pause)


def _is_unanswered(error: BaseException) -> bool:
    if isinstance(error, TryLater):
        return error.vendor == "monday" and error.status is None and error.reason != "pausing"
    return isinstance(error, asyncio.CancelledError)


async def create(db: Database, monday: Monday, link: Record, values: Mapping[str, Any]) -> tuple[str, bool]:
    """The id of the link's item, made now or by an earlier try, and whether it surely has all of *values*.

    An item is made without columns where monday.com refuses one of them.
    """
    tries = await db.fetchval("update monday_links set tries = tries + 1 where id = $1 returning tries", link["id"])
    try:
        if tries > 1 and (made := await _made_before(db, monday, link)) is not None:
            return made, False
        return await _make(monday, link, values)
    except Rejected:  # it surely is not there: another try may be of another name, and elsewhere
        await db.execute("update monday_links set tries = 0 where id = $1", link["id"])
        raise


async def _make(monday: Monday, link: Record, values: Mapping[str, Any]) -> tuple[str, bool]:
    board_id, group_id, name = link["board_id"], link["group_id"], link["name"]
    try:
        return await monday.create_item(board_id, group_id, name, values), True
    except Rejected:
        if not values:
            raise
        return await monday.create_item(board_id, group_id, name, {}), False


async def renewed(db: Executor, link: Record, name: str) -> Record:
    """The link as its item is to be made now. What no try may have made yet goes where its client's profile says."""
    row = await db.fetchrow(
        """
        update monday_links l set name = $2, board_id = coalesce(nullif(p.monday_board_id, ''), l.board_id),
            group_id = coalesce(nullif(p.monday_group_id, ''), l.group_id)
        from client_profiles p where p.user_id = l.client_id and l.id = $1 and l.tries = 0 returning l.*
        """,
        link["id"], name,
    )  # fmt: skip
    return row or link


async def _made_before(db: Executor, monday: Monday, link: Record) -> str | None:
    since = link["created_at"] - _SKEW
    found = await monday.items_named(link["board_id"], link["name"])
    me = await monday.me() if found else ""
    items = [item for item in found if item.creator_id == me and _is_since(item, since)]
    taken = await db.fetch(
        "select monday_item_id from monday_links where monday_item_id = any($1)", [item.id for item in items]
    )
    known = {row["monday_item_id"] for row in taken}
    free = [item for item in items if item.id not in known and item.group_id == link["group_id"]]
    return min(free, key=lambda item: (item.created_at, item.id)).id if free else None


def _is_since(item: Item, moment: datetime) -> bool:
    try:
        made = datetime.fromisoformat(item.created_at)
    except ValueError:
        return False
    return (made if made.tzinfo else made.replace(tzinfo=UTC)) >= moment


async def created(db: Executor, link_id: UUID, item_id: str, *, base: Mapping[str, Any] | None = None) -> None:
    await db.execute(
        """
        update monday_links set monday_item_id = $2, base = $3, trouble = null, trouble_at = null, queued_at = null
        where id = $1
        """,
        link_id, item_id, base,
    )  # fmt: skip
