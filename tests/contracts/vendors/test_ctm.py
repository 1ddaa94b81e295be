"""The CallTrackingMetrics stand-in keeps the vendor's contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from emulators.faults import Fault, Faults
from emulators.vendors.ctm import Ctm

DAY = 86_400
CALLS = "/api/v1/accounts/42/calls"
REACTOR = "/api/v1/formreactor/FRT42"


@pytest_asyncio.fixture
async def ctm(faults: Faults, running: Callable[..., Any]) -> AsyncIterator[tuple[Ctm, httpx.AsyncClient]]:
    vendor = Ctm(faults)
    account = vendor.open_account("42", key="k", secret="s")
    for n in range(25):  # one a day from 1 January 2026
        vendor.add_call(account, {"unix_time": 1_767_225_600 + n * DAY, "caller_number": f"+1555010{n:04}"})
    async with running(vendor, auth=("k", "s")) as http:
        yield vendor, http


@pytest.mark.parametrize("auth", [None, ("k", "wrong"), ("wrong", "s"), ("", "")])
async def test_only_the_accounts_own_keys_open_it(ctm: Any, auth: tuple[str, str] | None) -> None:
    """Wrong, missing or another account's keys are a 401, as is an account that does not exist."""
    vendor, _ = ctm
    vendor.open_account("43", key="other", secret="other")
    async with httpx.AsyncClient(base_url=vendor.url, auth=auth) as stranger:
        assert (await stranger.get(CALLS)).status_code == 401
        assert (await stranger.post(REACTOR, json={"phone_number": "5550100000"})).status_code == 401
    async with httpx.AsyncClient(base_url=vendor.url, auth=("other", "other")) as neighbour:
        assert (await neighbour.get(CALLS)).status_code == 401
        assert (await neighbour.get("/api/v1/accounts/99/calls")).status_code == 401


async def test_following_next_page_reads_every_call_once(ctm: Any) -> None:
    """Pages are newest first, carry the totals, and end with a next_page of null."""
    _, http = ctm
    url: str | None = f"{CALLS}?per_page=10"
    ids: list[int] = []
    while url:
        body = (await http.get(url)).json()
        assert (body["total_entries"], body["total_pages"], body["per_page"]) == (25, 3, 10)
        ids += [call["id"] for call in body["calls"]]
        url = body["next_page"]
    assert len(set(ids)) == 25 and ids == sorted(ids, reverse=True)


async def test_no_page_is_larger_than_a_hundred(ctm: Any) -> None:
    """per_page is clamped; a page beyond the end is empty; nonsense is refused."""
    _, http = ctm
    assert (await http.get(CALLS, params={"per_page": 500})).json()["per_page"] == 100
    assert (await http.get(CALLS, params={"page": 9})).json()["calls"] == []
    assert (await http.get(CALLS, params={"page": "x"})).status_code == 400
    assert (await http.get(CALLS, params={"start_date": "yesterday"})).status_code == 400


async def test_dates_are_whole_days_both_included(ctm: Any) -> None:
    """start_date and end_date name days in UTC."""
    _, http = ctm
    body = (await http.get(CALLS, params={"start_date": "2026-01-03", "end_date": "2026-01-05", "order": "asc"})).json()
    assert [call["called_at"][:10] for call in body["calls"]] == ["2026-01-03", "2026-01-04", "2026-01-05"]


async def test_a_sale_shows_in_the_call(ctm: Any) -> None:
    """A posted rating is what the list and the call tell from then on."""
    _, http = ctm
    call = (await http.get(CALLS)).json()["calls"][0]
    sale = {"score": 4, "conversion": 1, "value": 0, "sale_date": "2026-02-01"}

    assert (await http.post(f"{CALLS}/{call['id']}/sale", json=sale)).status_code == 200

    assert (await http.get(f"{CALLS}/{call['id']}")).json()["sale"] == sale
    assert (await http.post(f"{CALLS}/{call['id']}/sale", json={"score": 6})).status_code == 422
    assert (await http.post(f"{CALLS}/1/sale", json=sale)).status_code == 404


@pytest.mark.parametrize("how", ["json", "data"])
async def test_a_form_becomes_a_lead_in_the_list(ctm: Any, how: str) -> None:
    """JSON and form-encoded posts both become a record of type form with its custom answers."""
    _, http = ctm
    given = {"phone_number": "+15550100999", "caller_name": "Ada", "visitor_sid": "v1", "custom_topic": "Roof"}

    made = await http.post(REACTOR, **{how: given})

    assert made.json()["status"] == "success"
    newest = (await http.get(CALLS)).json()["calls"][0]
    assert (newest["id"], newest["direction"], newest["name"]) == (made.json()["id"], "form", "Ada")
    assert newest["form"]["custom"] == {"topic": "Roof"} and newest["visitor_sid"] == "v1"


async def test_a_form_needs_a_phone_and_a_known_reactor(ctm: Any) -> None:
    """Without a phone number 422; a reactor of nobody's 404; nothing is recorded."""
    vendor, http = ctm
    assert (await http.post(REACTOR, json={"caller_name": "Ada"})).status_code == 422
    assert (await http.post("/api/v1/formreactor/nope", json={"phone_number": "5550100000"})).status_code == 404
    assert len(vendor.accounts["42"].calls) == 25


async def test_faults_strike_as_often_as_told(ctm: Any, faults: Faults) -> None:
    """A 429 says when to come again; a dropped connection answers nothing; then all is well."""
    _, http = ctm
    faults.put("ctm", Fault(status=429, times=2))
    answers = [await http.get(CALLS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "1"
    faults.put("ctm", Fault(drop=True, times=1))
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get(CALLS)
    assert (await http.get(CALLS)).status_code == 200


async def test_latency_alone_only_delays(ctm: Any, faults: Faults) -> None:
    """A slow vendor still answers."""
    _, http = ctm
    faults.put("ctm", Fault(latency_ms=120))
    answer = await http.get(CALLS)
    assert answer.status_code == 200 and answer.elapsed.total_seconds() >= 0.12
