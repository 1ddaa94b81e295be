"""Whose turn it is: what changes an owner's journeys, active clients and callers happens one at a time."""

from __future__ import annotations

from uuid import UUID

from shared.areas.journeys import store
from shared.areas.leads import service as leads
from shared.db.database import Transaction


async def take(tx: Transaction, owner: UUID) -> None:
    """Wait for the owner's turn, which lasts until the transaction ends. To be taken before anything is read.

    Two clicks or tabs follow each other, and neither another conversion nor a sync locks the same calls in another
    order.
    """
    await store.lock_owner(tx, owner)
    await leads.hold_syncs(tx, owner)


async def refresh_callers(tx: Transaction, owner: UUID, *numbers: str | None) -> None:
    """Say anew who calls from these numbers: a client, a journey that won its customer, or the archive tells it."""
    told = sorted({number for number in numbers if number})
    if told:
        await leads.refresh_callers(tx, owner, told)
