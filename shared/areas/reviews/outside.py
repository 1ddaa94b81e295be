"""What the reviews area reaches beyond the database, and how it asks Google."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from shared.areas.connections import tokens
from shared.areas.connections.outside import Outside as Connections
from shared.areas.emails.templates import Site
from shared.areas.pauses import Pauses
from shared.areas.ports import Ai, GetKeyRing, Warn
from shared.areas.reviews.models import Google
from shared.db.database import Database, Transaction
from shared.errors import TryLater

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
    pauses: Pauses  # of Google's quota
    key_ring: GetKeyRing
    site: Site
    warn: Warn


PROJECT = "project"  # Google counts calls by our project, whoever the client is


async def ask(outside: Outside, owner: UUID, connection_id: UUID, question: Callable[[Google], Awaitable[T]]) -> T:
    """What Google answers, asked with a token that works; Pausing while it has asked everybody to wait.

    Raises as ``connections.tokens.using``.
    """
    await outside.pauses.require_none(PROJECT)
    try:
        return await tokens.using(
            outside.connections, owner, connection_id, lambda token: question(outside.google(token))
        )
    except TryLater as error:
        if error.status == 429:
            await outside.pauses.begin(PROJECT, error)
        raise
