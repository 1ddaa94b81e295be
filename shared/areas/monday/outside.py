"""What the monday area reaches beyond the database, and the pause that monday.com asks for."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from shared.areas.emails.templates import Site
from shared.areas.files.models import Bucket
from shared.areas.monday.models import Documents, Monday
from shared.areas.ports import GetKeyRing
from shared.db.database import Database, Transaction
from shared.errors import TryLater, VendorError

_COOL_DOWNS = "monday_cool_downs"
_ACCOUNT = "account"  # there is one
_PAUSE_S = 2.0  # after a failure for which monday.com names no time
_LONGEST_PAUSE_S = 3600.0


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
    warn: Callable[..., None]  # event, and facts as keywords

    @asynccontextmanager
    async def monday(self) -> AsyncIterator[Monday]:
        """The account, unless its calls are paused: TryLater with the seconds left. A TryLater inside pauses them."""
        await self._require_warm()
        try:
            yield await self.connect()
        except TryLater as error:
            if error.vendor == "monday":
                await self._cool_down(error)
            raise

    async def _require_warm(self) -> None:
        try:
            found = await self.documents.get(_COOL_DOWNS, _ACCOUNT)
        except VendorError as trouble:  # monday.com itself will say so, if it must
            self.warn("cool_down_not_read", reason=str(trouble))
            return
        left = float(found["until"]) - time.time() if found else 0.0
        if left > 0:
            raise TryLater("monday", reason="pausing", retry_after_s=left)

    async def _cool_down(self, error: TryLater) -> None:
        pause = min(error.retry_after_s or _PAUSE_S, _LONGEST_PAUSE_S)
        until = {"until": time.time() + pause}
        try:
            await self.documents.put(_COOL_DOWNS, _ACCOUNT, until, lifetime=timedelta(seconds=pause + 60))
        except VendorError as trouble:
            self.warn("cool_down_not_shared", reason=str(trouble))
