"""What the monday area reaches beyond the database, and the pause that monday.com asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from shared.areas.emails.templates import Site
from shared.areas.files.models import Bucket
from shared.areas.monday.models import Monday
from shared.areas.pauses import Pauses
from shared.areas.ports import Documents, GetKeyRing, Warn
from shared.db.database import Database, Transaction
from shared.errors import TryLater

_ACCOUNT = "account"  # there is one


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """``transaction`` is the caller's own: what it publishes or enqueues leaves after its commit."""

    db: Database
    transaction: Callable[[], AbstractAsyncContextManager[Transaction]]
    connect: Callable[[], Awaitable[Monday]]
    documents: Documents
    bucket: Bucket
    key_ring: GetKeyRing
    site: Site
    account_url: str
    submit_timeout_s: float
    look_every: timedelta  # after which a client's items are read although nothing is known to have changed
    warn: Warn

    @asynccontextmanager
    async def monday(self) -> AsyncIterator[Monday]:
        """The account, unless its calls are paused: Pausing with the seconds left. A TryLater inside pauses them."""
        pauses = Pauses(self.documents, self.warn, "monday")
        await pauses.require_none(_ACCOUNT)
        try:
            yield await self.connect()
        except TryLater as error:
            if error.vendor == "monday":
                await pauses.begin(_ACCOUNT, error)
            raise
