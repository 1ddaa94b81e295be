"""What the reviews area reaches beyond the database, and the pause that Google asks for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from shared.areas.connections import tokens
from shared.areas.connections.outside import Outside as Connections
from shared.areas.emails.templates import Site
from shared.areas.reviews.models import Ai, Documents, Google
from shared.db.database import Database, Transaction
from shared.errors import TryLater, VendorError

if TYPE_CHECKING:
    from shared.crypto import KeyRing

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """``transaction`` is the caller's own: what it publishes or enqueues leaves after its commit."""

    db: Database
    transaction: Callable[[], AbstractAsyncContextManager[Transaction]]
    connections: Connections
    google: Callable[[str], Google]  # by access token
    ai: Ai
    ai_slots: asyncio.Semaphore
    model: str
    documents: Documents
    key_ring: Callable[[], Awaitable[KeyRing]]
    site: Site
    warn: Callable[..., None]  # event, and facts as keywords


_COOL_DOWNS = "google_cool_downs"
_BUSINESS = "business"  # Google's quota is our project's, whoever the client is
DEFAULT_PAUSE_S = 5.0
LONGEST_PAUSE_S = 3600.0


async def ask(outside: Outside, owner: UUID, connection_id: UUID, question: Callable[[Google], Awaitable[T]]) -> T:
    """What Google answers, asked with a token that works; TryLater while it has asked everybody to pause.

    Raises as ``connections.tokens.using``.
    """
    await require_warm(outside)
    try:
        return await tokens.using(
            outside.connections, owner, connection_id, lambda token: question(outside.google(token))
        )
    except TryLater as error:
        if error.status == 429:
            await _cool_down(outside, error)
        raise


async def _cool_down(outside: Outside, error: TryLater) -> None:
    pause = min(error.retry_after_s or DEFAULT_PAUSE_S, LONGEST_PAUSE_S)
    try:
        await outside.documents.put(
            _COOL_DOWNS, _BUSINESS, {"until": time.time() + pause}, lifetime=timedelta(seconds=pause + 60)
        )
    except VendorError as trouble:
        outside.warn("cool_down_not_shared", reason=str(trouble))


async def require_warm(outside: Outside) -> None:
    """TryLater, with the seconds left, while Google's calls are paused."""
    try:
        found = await outside.documents.get(_COOL_DOWNS, _BUSINESS)
    except VendorError as trouble:  # Google itself will say so, if it must
        outside.warn("cool_down_not_read", reason=str(trouble))
        return
    left = float(found["until"]) - time.time() if found else 0.0
    if left > 0:
        raise TryLater("google business", status=429, reason="pausing", retry_after_s=left)
