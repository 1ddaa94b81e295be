"""What every handler is given: the instance's services, and transactions whose outbox is sent after the commit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.db.database import Database, OutboxRow, Transaction
from shared.manifest import Function
from shared.runtime import outbox
from shared.runtime.services import Services


@dataclass(slots=True, kw_only=True)
class Context:
    """Common to ``Call`` (an HTTP request) and ``Job`` (a task, an event, a schedule)."""

    function: Function
    services: Services
    request_id: str

    @property
    def db(self) -> Database:
        return self.services.db

    async def send(self, rows: list[OutboxRow]) -> None:
        """Send outbox rows that a single statement has stored and committed."""
        await outbox.dispatch(self.services, rows)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction; after its commit the work and facts it recorded are on their way when this returns."""
        async with self.services.db.transaction() as tx:
            yield tx
        if tx.outbox:
            await outbox.dispatch(self.services, tx.outbox)
