"""What becomes of finished items: archived some days after they were done, purged as many days later.

Source: seeds DATA_FLOWS §5 (Done → Archived: 30 days → Purged).
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from shared.areas.tasks import changes
from shared.areas.tasks.changes import Actor, Change
from shared.db.database import Database, Transaction

_AT_ONCE: Final = 500
_MOST_RUNS: Final = 40  # of one night; the rest waits for the next


async def _archive_some(tx: Transaction, *, days: int) -> int:
    """As many as one transaction should hold, with their trail; return how many."""
    rows = await tx.fetch(
        """
        with done as (
            select i.id, g.board_id from task_items i join task_groups g on g.id = i.group_id
            join task_labels l on l.board_id = g.board_id and l.text_key = lower(btrim(i.status)) and l.is_done_state
            where i.archived_at is null and i.updated_at < now() - make_interval(days => $1)
            order by i.updated_at limit $2 for no key update of i skip locked
        )
        update task_items i set archived_at = now(), updated_at = now() from done where done.id = i.id
        returning i.id, done.board_id
        """,
        days,
        _AT_ONCE,
    )
    archived = [(row["id"], row["board_id"], [Change(what="archived")]) for row in rows]
    await changes.record(tx, Actor(None, "schedule"), archived)
    return len(rows)


def days_kept(setting: int) -> int:
    """The setting ``task_archive_retention_days``: a mistyped 0 must not purge everything today."""
    return setting if setting > 0 else 30


class Runner(Protocol):
    """Whatever opens transactions whose outbox is sent after them (``runtime.context.Context``)."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]: ...


async def archive_done(runner: Runner, *, days: int) -> int:
    """Archive items that are done and were not touched for *days*; return how many."""
    total = 0
    for _ in range(_MOST_RUNS):
        async with runner.transaction() as tx:
            archived = await _archive_some(tx, days=days)
        total += archived
        if archived < _AT_ONCE:
            break
    return total


async def purge(db: Database, *, days: int) -> dict[str, int]:
    """Delete items and subitems that were archived more than *days* ago; time entries stay, under the items' names."""
    return {
        "items": await _purge(
            db,
            """
            delete from task_items where id in (
                select id from task_items where archived_at < now() - make_interval(days => $1)
                order by archived_at limit $2 for update skip locked)
            """,
            days,
        ),
        "subitems": await _purge(
            db,
            """
            delete from task_subitems where id in (
                select id from task_subitems where archived_at < now() - make_interval(days => $1)
                order by archived_at limit $2 for update skip locked)
            """,
            days,
        ),
    }


async def _purge(db: Database, statement: str, days: int) -> int:
    """Run a bounded statement until nothing is left."""
    total = 0
    for _ in range(_MOST_RUNS):
        deleted = await db.execute(statement, days, _AT_ONCE)
        total += deleted
        if deleted < _AT_ONCE:
            break
    return total
