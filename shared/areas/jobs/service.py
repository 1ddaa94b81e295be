"""Use cases of keeping house."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from shared.areas.jobs import store
from shared.db.database import Executor, OutboxRow, Transaction
from shared.errors import NotFound

KEPT = timedelta(days=7)  # Pub/Sub and Cloud Tasks forget a message sooner than this


async def list_dead(db: Executor, *, limit: int, offset: int) -> str:
    """Dead work, newest first, as JSON text."""
    return await store.list_dead(db, limit=limit, offset=offset)


async def resend(tx: Transaction, work_id: UUID) -> None:
    """Send dead work again after the commit; NotFound when nothing of that id is dead."""
    row = await store.revive(tx, work_id)
    if row is None:
        raise NotFound("There is no dead work of this id.")
    tx.outbox.append(OutboxRow(**dict(row)))


async def record_dead(db: Executor, outbox_id: UUID, *, handler: str) -> bool:
    """Keep that *handler* refused an event until its deliveries ran out."""
    return await store.bury(db, outbox_id, handler=handler, reason="its deliveries ran out")


async def purge_finished(db: Executor) -> dict[str, int]:
    """Delete what is finished and old; rows deleted per table."""
    return await store.purge(db, KEPT)
