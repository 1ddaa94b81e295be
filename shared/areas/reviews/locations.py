"""A client's chosen locations, Google's names of them, and where their customers write reviews."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shared.areas.connections import offers
from shared.areas.connections import store as connections
from shared.areas.reviews import rules, sync_store
from shared.areas.reviews.models import Google
from shared.areas.reviews.outside import PROJECT, Outside, ask
from shared.db.database import Record
from shared.errors import Conflict, Reconnect, Rejected, VendorError

TYPE = "google_location"
NOT_CONNECTED = "Google Business Profile is not connected. Please connect it, or connect it again."


async def require_connection(outside: Outside, owner: UUID) -> None:
    """Conflict, with ``requiresReconnect``, when none of the client's Google connections works."""
    if not await connections.active_connections(outside.db, owner, "google"):
        raise Conflict(NOT_CONNECTED, code="NOT_CONNECTED", requiresReconnect=True)


async def chosen(outside: Outside, owner: UUID) -> list[Record]:
    """The client's locations in use, the primary one first."""
    return await connections.active_resources(outside.db, owner, TYPE)


async def find(outside: Outside, owner: UUID, location_id: UUID | None) -> Record | None:
    """One location of the client's in use; None when it is not theirs, switched off, or disconnected."""
    return next((one for one in await chosen(outside, owner) if one["id"] == location_id), None)


async def parent(outside: Outside, owner: UUID, location: Record) -> str:
    """``accounts/1/locations/2``, as Google wants it; the dashboard stores the bare number. Raises Rejected when no
    account of the connection has the location."""
    known = rules.parent_of(location["resource_id"], location["account_id"])
    if known is not None:
        return known
    _, number = rules.parts_of(location["resource_id"])
    await outside.pauses.require_none(PROJECT)
    found = await offers.location_name(outside.connections, owner, location["connection_id"], number)
    if found is None:
        raise Rejected("google business", status=404, reason="no account of this connection has the location")
    return found


async def review_link(outside: Outside, owner: UUID, location: Record, fallback: str | None) -> str:
    """Where a customer writes a review of this location: from Google's own data of it, kept for a month.

    *fallback* is the client's own address, for when Google gives none. Conflict when there is neither.
    """
    known = await sync_store.review_url(outside.db, location["id"])
    if known:
        return known
    _, number = rules.parts_of(location["resource_id"])
    try:
        found = await ask(outside, owner, location["connection_id"], lambda google: google.location(number))
    except VendorError as error:
        if not fallback:
            raise
        outside.warn("review_link_not_read", reason=str(error))
        return fallback
    if found.review_url.startswith("https://"):
        await sync_store.keep_review_url(outside.db, owner, location["id"], found.review_url)
        return found.review_url
    if fallback:
        return fallback
    raise Conflict("Google names no page for reviews of this location. Set a review link in the settings.")


async def at_google(outside: Outside, owner: UUID) -> list[dict[str, Any]]:
    """Every location that the client's Google connections may see, each with ``accountName`` and ``accountId``."""
    found = []
    for connection in await connections.active_connections(outside.db, owner, "google"):
        found += await ask(outside, owner, connection["id"], _everywhere)
    return found


async def _everywhere(google: Google) -> list[dict[str, Any]]:
    """The locations of all accounts; one that Google does not open to this person has none."""
    found = []
    for account in await google.accounts():
        try:
            places = await google.locations(account.name)
        except Reconnect as error:
            if error.status != 403:
                raise
            continue
        found += [{**place.raw, "accountName": account.title, "accountId": account.name} for place in places]
    return found
