"""What the leads area reaches beyond the database: CTM, the AI, and what all instances know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from shared.areas.leads import store
from shared.areas.leads.models import Ctm
from shared.areas.pauses import Pauses
from shared.areas.ports import Ai, Documents, GetKeyRing, Warn
from shared.db.database import Database, Record, Transaction
from shared.errors import Invalid


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
    pauses: Pauses  # of CTM's accounts
    key_ring: GetKeyRing
    warn: Warn
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
