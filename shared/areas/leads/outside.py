"""What the leads area reaches beyond the database, and the pause that CTM asks for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from shared.areas.leads import store
from shared.areas.leads.models import Ai, Ctm, Documents
from shared.db.database import Database, Record, Transaction
from shared.errors import Invalid, TryLater, VendorError

if TYPE_CHECKING:
    from shared.crypto import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """``transaction`` is the caller's own: what it publishes or enqueues leaves after its commit."""

    db: Database
    transaction: Callable[[], AbstractAsyncContextManager[Transaction]]
    ctm: Callable[[str, str, str], Ctm]  # account, key, secret
    ai: Ai
    ai_slots: asyncio.Semaphore
    classifier_model: str
    documents: Documents
    key_ring: Callable[[], Awaitable[KeyRing]]
    warn: Callable[..., None]  # event, and facts as keywords
    overlap_days: int
    deep_days: int
    full_days: int


@dataclass(frozen=True, slots=True)
class Account:
    """A client's CTM account, opened, and what a sync needs to know of the client."""

    number: str
    ctm: Ctm
    row: Record


NOT_CONNECTED = "CallTrackingMetrics is not connected for this client."


async def open_account(outside: Outside, owner: UUID) -> Account:
    """The client's account with its credentials decrypted; Invalid when one of the three is missing."""
    from shared.crypto import column_context

    row = await store.account(outside.db, owner)
    if row is None or not is_connected(row):
        raise Invalid(NOT_CONNECTED, code="CTM_NOT_CONNECTED")
    ring = await outside.key_ring()
    key, secret = (
        ring.open_text(row[column], context=column_context("client_profiles", column, owner))
        for column in ("ctm_api_key", "ctm_api_secret")
    )
    return Account(row["ctm_account_number"], outside.ctm(row["ctm_account_number"], key, secret), row)


def is_connected(row: Record | None) -> bool:
    """Whether all three credentials are there."""
    return row is not None and all((row["ctm_account_number"], row["ctm_api_key"], row["ctm_api_secret"]))


_COOL_DOWNS = "ctm_cool_downs"
DEFAULT_PAUSE_S = 2.0  # after a failure for which CTM names no time
LONGEST_PAUSE_S = 3600.0


class Pausing(TryLater):
    """CTM is not to be asked for the next ``pause_s`` seconds."""

    def __init__(self, pause_s: float) -> None:
        super().__init__("ctm", reason="pausing", retry_after_s=pause_s)
        self.pause_s = pause_s


async def cool_down(outside: Outside, account: str, error: TryLater) -> Pausing:
    """CTM asked for a pause, or is in trouble: no instance calls this account until it is over.

    Returns the pause, to be raised or waited for. One that CTM asked for is not shortened by a later failure.
    """
    pause = min(error.retry_after_s or DEFAULT_PAUSE_S, LONGEST_PAUSE_S)
    try:
        pause = max(pause, await _left(outside, account))
        await outside.documents.put(
            _COOL_DOWNS, account, {"until": time.time() + pause}, lifetime=timedelta(seconds=pause + 60)
        )
    except VendorError as trouble:
        outside.warn("cool_down_not_shared", reason=str(trouble))
    return Pausing(pause)


async def require_warm(outside: Outside, account: str) -> None:
    """Raise Pausing while the account's calls are paused."""
    try:
        left = await _left(outside, account)
    except VendorError as trouble:  # CTM itself will say so, if it must
        outside.warn("cool_down_not_read", reason=str(trouble))
        return
    if left > 0:
        raise Pausing(left)


async def _left(outside: Outside, account: str) -> float:
    found = await outside.documents.get(_COOL_DOWNS, account)
    return max(0.0, float(found["until"]) - time.time()) if found else 0.0
