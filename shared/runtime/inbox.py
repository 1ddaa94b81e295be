"""Claims a piece of work, so that delivered twice it has one effect.

A claim lasts longer than a run can; a killed run loses it by time, a failed one gives it back. "Done" is written in the
transaction of the run's results, and only while the claim is still this run's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

from shared.db.database import Database, Transaction


class LeaseLost(Exception):
    """This run took longer than its lease: another one owns the work now, and nothing of this one is kept."""


@dataclass(frozen=True, slots=True)
class Claim:
    handler: str
    key: str
    token: UUID
    outbox_id: UUID | None  # the outbox row that sent this work, if one did


_CLAIM = """
insert into inbox (handler, message_key, lease_until, lease_token)
values ($1, $2, now() + make_interval(secs => $3), $4)
on conflict (handler, message_key) do update
    set lease_until = excluded.lease_until, lease_token = excluded.lease_token, attempts = inbox.attempts + 1
    where inbox.done_at is null and inbox.lease_until < now()
returning true
"""


async def claim(db: Database, handler: str, key: str, lease_s: int, outbox_id: UUID | None) -> Claim | bool:
    """The claim on work *key*; True when it was done before, False when another run holds it."""
    mine = Claim(handler, key, uuid4(), outbox_id)
    if await db.fetchval(_CLAIM, handler, key, lease_s, mine.token):
        return mine
    done = await db.fetchval(
        "select done_at is not null from inbox where handler = $1 and message_key = $2", handler, key
    )
    return bool(done)


@asynccontextmanager
async def finish(db: Database, mine: Claim, *, tracked: bool) -> AsyncIterator[Transaction]:
    """The transaction that stores the results and marks the work done; LeaseLost keeps neither.

    *tracked*: the outbox row has one handler (a task), so it is marked done too.
    """
    async with db.transaction() as tx:
        yield tx
        owned = await tx.execute(
            """
            update inbox set done_at = now()
            where handler = $1 and message_key = $2 and lease_token = $3 and done_at is null
            """,
            mine.handler, mine.key, mine.token,
        )  # fmt: skip
        if not owned:
            raise LeaseLost(mine.handler)
        if tracked and mine.outbox_id is not None:
            await tx.execute("update outbox set done_at = now() where id = $1", mine.outbox_id)


async def give_back(db: Database, mine: Claim) -> None:
    """End the claim now, so that the next delivery need not wait for the lease."""
    await db.execute(
        "update inbox set lease_until = now() where handler = $1 and message_key = $2 and lease_token = $3",
        mine.handler, mine.key, mine.token,
    )  # fmt: skip


async def park(db: Database, mine: Claim, reason: str) -> None:
    """Store that this work is dead, and why; further deliveries find it done."""
    async with finish(db, mine, tracked=False) as tx:
        await tx.execute(
            "update outbox set dead_at = now(), dead_handler = $2, dead_reason = $3 where id = $1",
            mine.outbox_id, mine.handler, reason[:500],
        )  # fmt: skip
