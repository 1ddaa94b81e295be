"""What a connected account offers to choose from: business accounts, locations, pages, profiles, sites.

A refusal is answered with its reason: 400 when the connection has no usable token, 401 when the vendor ended the
consent, 403 when it does not cover this, 502 when the vendor does not take our request. Source: spec api-leads O19-O24.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

from shared.areas.connections import apps, rules, service, store, tokens
from shared.areas.connections.outside import Outside
from shared.areas.connections.tokens import NO_SUCH
from shared.db.database import Record
from shared.errors import Forbidden, Invalid, NotFound, Problem, Reconnect, Rejected, Unauthorized

T = TypeVar("T")
Listed = list[dict[str, Any]]


class Google(Protocol):
    async def business_accounts(self, token: str) -> Listed: ...
    async def locations(self, token: str, account: str) -> Listed: ...


class Facebook(Protocol):
    async def pages(self, token: str) -> Listed: ...
    async def instagram_accounts(self, token: str) -> Listed: ...


class TikTok(Protocol):
    async def profile(self, token: str) -> dict[str, Any]: ...


class WordPressCom(Protocol):
    async def sites(self, token: str) -> Listed: ...


class VendorRefused(Problem):
    """The vendor does not take our request."""

    status, code = 502, "VENDOR_ERROR"


async def google_accounts(outside: Outside, connection_id: UUID) -> dict[str, Any]:
    row = await _of(outside, connection_id, "google")
    return {"accounts": await _ask(outside, row, lambda vendor, token: cast(Google, vendor).business_accounts(token))}


async def google_locations(outside: Outside, connection_id: UUID, account: str) -> dict[str, Any]:
    """The locations of ``accounts/1``. Where each was seen is remembered: their reviews need the account's name too.

    An account that Google does not open to this person has none to choose from; ``reason`` says why.
    """
    row = await _of(outside, connection_id, "google")
    try:
        found = await _ask(outside, row, lambda vendor, token: cast(Google, vendor).locations(token, account))
    except Forbidden as refused:
        return {"locations": [], "reason": refused.message}
    await _remember(outside, connection_id, account, found)
    return {"locations": found}


async def location_name(outside: Outside, owner: UUID, connection_id: UUID, location: str) -> str | None:
    """``accounts/1/locations/2`` of the location ``2`` of a client's connection: as it was seen when it was chosen,
    else looked for in all accounts. None when Google shows it under none. Raises as ``tokens.using``."""
    known = await store.location_account(outside.db, owner, connection_id, location)
    if known is None:
        known = await tokens.using(
            outside, owner, connection_id, lambda token: _find_account(outside, connection_id, token, location)
        )
    return f"accounts/{known}/locations/{location}" if known else None


async def _find_account(outside: Outside, connection_id: UUID, token: str, location: str) -> str | None:
    vendor = cast(Google, await apps.vendor(outside, "google"))
    for account in await vendor.business_accounts(token):
        found = await vendor.locations(token, account["name"])
        await _remember(outside, connection_id, account["name"], found)
        if any(one["name"] == f"locations/{location}" for one in found):
            return str(account["name"]).removeprefix("accounts/")
    return None


async def _remember(outside: Outside, connection_id: UUID, account: str, found: Listed) -> None:
    numbers = [place[1] for one in found if (place := rules.location_of(one["name"]))]
    await store.keep_locations(outside.db, connection_id, account.removeprefix("accounts/"), numbers)


async def facebook_pages(outside: Outside, connection_id: UUID) -> dict[str, Any]:
    row = await _of(outside, connection_id, "facebook")
    return {"pages": await _ask(outside, row, lambda vendor, token: cast(Facebook, vendor).pages(token))}


async def instagram_accounts(outside: Outside, connection_id: UUID) -> dict[str, Any]:
    """The Instagram accounts behind a Facebook connection's pages."""
    row = await _of(outside, connection_id, "facebook", "instagram")
    return {
        "accounts": await _ask(outside, row, lambda vendor, token: cast(Facebook, vendor).instagram_accounts(token))
    }


async def tiktok_account(outside: Outside, connection_id: UUID) -> dict[str, Any]:
    row = await _of(outside, connection_id, "tiktok")
    return {"account": await _ask(outside, row, lambda vendor, token: cast(TikTok, vendor).profile(token))}


async def wordpress_sites(outside: Outside, connection_id: UUID) -> dict[str, Any]:
    """All sites of a WordPress.com account; of an application password, the one site it is for."""
    row = await _of(outside, connection_id, "wordpress")
    if row["token_type"] == rules.BASIC:
        url = str(row["external_metadata"].get("site_url", ""))
        return {"sites": [{"id": url, "name": row["provider_account_name"] or url, "url": url}]}
    return {"sites": await _ask(outside, row, lambda vendor, token: cast(WordPressCom, vendor).sites(token))}


async def _of(outside: Outside, connection_id: UUID, *providers: str) -> Record:
    row = await service.facts(outside.db, connection_id)
    if row["provider"] not in providers:
        raise NotFound(NO_SUCH)
    return row


async def _ask(outside: Outside, row: Record, ask: Callable[[Any, str], Awaitable[T]]) -> T:
    async with stated():
        vendor = await apps.vendor(outside, row["provider"])
        return await tokens.using(outside, row["client_id"], row["id"], lambda token: ask(vendor, token))


@asynccontextmanager
async def stated() -> AsyncIterator[None]:
    """A vendor's refusals as answers that say why. TryLater stays: it is a 503."""
    try:
        yield
    except Reconnect as error:
        if error.status == 403:
            raise Forbidden(error.reason, code="VENDOR_FORBIDS") from error
        if error.status is None:
            raise Invalid(error.reason or "This connection has no tokens.", code="NOT_CONNECTED") from error
        raise Unauthorized(error.reason or "Please connect this account again.", code="RECONNECT") from error
    except Rejected as error:
        raise VendorRefused(f"{error.vendor} did not accept this request: {error.reason or error.status}.") from error
