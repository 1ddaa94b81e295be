"""Reads a Google Business Profile's accounts, locations and reviews, and writes replies.

Every call is tried once: trying again is the queue's work. Errors: ``TryLater`` (unreachable, rationed, broken),
``Reconnect`` (401: the token is refused; 403: this consent, or this project, may not), ``Rejected`` (the request is
wrong; ``status`` 404: not there). None carries what Google answered. Addresses and limits: README.md beside this file.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shared.errors import Rejected, TryLater, VendorError, vendor_error
from shared.integrations.google_business.records import (
    Account,
    Location,
    ReviewPage,
    ReviewRecord,
    read_account,
    read_location,
    read_page,
    read_review,
)

if TYPE_CHECKING:
    import httpx

VENDOR = "google business"
PAGE_SIZE = 50
LONGEST_REPLY = 4096  # bytes
MAX_PAGES = 100  # of accounts or locations; more means that the tokens lead in a circle
_RATIONED = re.compile(r'"reason"\s*:\s*"(?:rateLimitExceeded|userRateLimitExceeded|RATE_LIMIT_EXCEEDED)"')
_LOCATION_FIELDS = "name,title,storefrontAddress,websiteUri,metadata"


@dataclass(frozen=True, slots=True)
class Bases:
    """Google's three hosts for Business Profile."""

    accounts: str
    information: str
    reviews: str


def connect(timeout_s: float) -> httpx.AsyncClient:
    """A connection pool, for every token. Close it, or keep it as long as the instance lives."""
    import httpx

    return httpx.AsyncClient(timeout=timeout_s, headers={"Accept": "application/json"})


class GoogleBusiness:
    """Business Profile as one person's consent sees it."""

    def __init__(self, http: httpx.AsyncClient, bases: Bases, token: str) -> None:
        self._http = http
        self._bases = bases
        self._token = token

    async def accounts(self) -> list[Account]:
        """Every account that the person may see."""
        address = f"{self._bases.accounts}/v1/accounts"
        return [read_account(one) async for one in self._all(address, "accounts", {"pageSize": "20"})]

    async def locations(self, account: str) -> list[Location]:
        """Every location of an account (``accounts/123``)."""
        address = f"{self._bases.information}/v1/{_path(account)}/locations"
        asked = {"readMask": _LOCATION_FIELDS, "pageSize": "100"}
        return [read_location(one) async for one in self._all(address, "locations", asked)]

    async def location(self, number: str) -> Location:
        """One location by its number."""
        address = f"{self._bases.information}/v1/locations/{quote(number, safe='')}"
        return read_location(await self._call("GET", address, params={"readMask": _LOCATION_FIELDS}))

    async def reviews(self, location: str, page_token: str = "") -> ReviewPage:
        """A page of reviews of ``accounts/123/locations/456``, changed last first."""
        asked = {"pageSize": str(PAGE_SIZE), "orderBy": "updateTime desc"}
        if page_token:
            asked["pageToken"] = page_token
        return read_page(await self._call("GET", f"{self._bases.reviews}/v4/{_path(location)}/reviews", params=asked))

    async def review(self, name: str) -> ReviewRecord | None:
        """A review as it is now, by its full name; None when Google has it no more."""
        try:
            told = await self._call("GET", f"{self._bases.reviews}/v4/{_path(name)}")
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        found = read_review(told)
        if found is None:
            raise TryLater(VENDOR, reason="unreadable review")
        return found

    async def reply(self, name: str, comment: str) -> None:
        """Make *comment* (at most 4,096 bytes) the owner's reply to a review, in the place of an earlier one."""
        address = f"{self._bases.reviews}/v4/{_path(name)}/reply"
        await self._call("PUT", address, json={"comment": comment})

    async def delete_reply(self, name: str) -> bool:
        """Take the owner's reply away; False when there was none."""
        try:
            await self._call("DELETE", f"{self._bases.reviews}/v4/{_path(name)}/reply")
        except Rejected as error:
            if error.status == 404:
                return False
            raise
        return True

    async def _all(self, address: str, key: str, asked: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
        token = ""
        for _ in range(MAX_PAGES):
            told = await self._call("GET", address, params={**asked, **({"pageToken": token} if token else {})})
            found = told.get(key)
            for one in found if isinstance(found, list) else []:
                if isinstance(one, dict):
                    yield one
            token = told.get("nextPageToken") or ""
            if not isinstance(token, str) or not token:
                return
        raise TryLater(VENDOR, reason=f"more than {MAX_PAGES} pages")

    async def _call(self, method: str, address: str, **request: Any) -> dict[str, Any]:
        import httpx

        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            answer = await self._http.request(method, address, headers=headers, **request)
        except httpx.RequestError as error:
            raise TryLater(VENDOR, reason=type(error).__name__) from error
        if not answer.is_success:
            raise _meaning(answer)
        try:
            told = answer.json() if answer.content else {}
        except ValueError as error:
            raise TryLater(VENDOR, status=answer.status_code, reason="unreadable answer") from error
        return told if isinstance(told, dict) else {}


def _meaning(answer: httpx.Response) -> VendorError:
    """What a refusal means; a quota that is spent may come as 403, told from a missing right by its reason only."""
    wait = answer.headers.get("Retry-After")
    if answer.status_code == 403 and _RATIONED.search(answer.text):
        return vendor_error(VENDOR, 429, retry_after=wait)
    return vendor_error(VENDOR, answer.status_code, retry_after=wait)


def _path(name: str) -> str:
    """A resource name as a path: its parts are Google's, and yet none may lead out of its place."""
    return "/".join(quote(part, safe="") for part in name.split("/") if part not in ("", ".", ".."))
