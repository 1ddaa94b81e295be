"""Our Business Profile client and the stand-in speak of the same Google."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from emulators.faults import Fault, Faults
from emulators.vendors.google import BUSINESS, Google
from shared.errors import Reconnect, Rejected, TryLater
from shared.integrations.google_business.client import Bases, GoogleBusiness

RunningVendor = Callable[..., Any]


def client(google: Google, http: httpx.AsyncClient, *, scope: str = BUSINESS) -> GoogleBusiness:
    token = google.issue(google.people[0], scope)["access_token"]
    return GoogleBusiness(http, Bases(google.url, google.url, google.url), token)


def filled(faults: Faults) -> Google:
    google = Google(faults)
    google.add_account("1", "Account", owner=google.people[0])
    google.add_location("1", "2", "Main Street")
    return google


async def test_the_way_to_the_reviews(running: RunningVendor, faults: Faults) -> None:
    """Account, location, its review page, and sixty reviews on two pages, changed last first."""
    google = filled(faults)
    async with running(google) as http:
        for index in range(60):
            google.add_review({"rating": index % 5 + 1, "createTime": f"2026-01-{index % 28 + 1:02}T10:00:00Z"})
        business = client(google, http)
        [account] = await business.accounts()
        [location] = await business.locations(account.name)
        assert location.review_url.startswith("https://search.google.com/local/writereview")
        assert (await business.location("2")).raw == location.raw
        first = await business.reviews("accounts/1/locations/2")
        second = await business.reviews("accounts/1/locations/2", first.next_token)
    reviews = [*first.reviews, *second.reviews]
    assert (len(first.reviews), len(reviews), second.next_token, first.total) == (50, 60, "", 60)
    assert [one.updated_at for one in reviews] == sorted((one.updated_at for one in reviews), reverse=True)


async def test_a_strangers_location(running: RunningVendor, faults: Faults) -> None:
    """A location of somebody else's account is not shown."""
    google = filled(faults)
    google.add_account("8", "Theirs", owner=google.people[1])
    google.add_location("8", "9", "Their place")
    async with running(google) as http:
        with pytest.raises(Reconnect) as refused:
            await client(google, http).location("9")
        assert refused.value.status == 403


async def test_replies(running: RunningVendor, faults: Faults) -> None:
    """Put, read, replaced, deleted; too long is refused."""
    google = filled(faults)
    async with running(google) as http:
        name = google.add_review({"comment": "Hi"})["name"]
        business = client(google, http)
        for text in ("Thanks", "Thank you"):
            await business.reply(name, text)
            found = await business.review(name)
            assert found is not None and found.reply == text
        assert (await business.delete_reply(name), await business.delete_reply(name)) == (True, False)
        with pytest.raises(Rejected):
            await business.reply(name, "é" * 2049)
        assert await business.review(f"{name}x") is None


async def test_refusals(running: RunningVendor, faults: Faults) -> None:
    """No consent for Business Profile is 403, an expired token 401, an empty location an empty page; a 429 waits."""
    google = filled(faults)
    async with running(google) as http:
        assert (await client(google, http).reviews("accounts/1/locations/2")).reviews == []
        with pytest.raises(Reconnect):
            await client(google, http, scope="openid").accounts()
        late = client(google, http)
        google.expire_access_tokens()
        with pytest.raises(Reconnect) as refused:
            await late.accounts()
        assert refused.value.status == 401
        faults.put("google", Fault(status=429))
        with pytest.raises(TryLater) as busy:
            await client(google, http).accounts()
        assert busy.value.retry_after_s == 1
