"""How we speak with CallTrackingMetrics."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Reconnect, Rejected, TryLater, VendorError
from shared.integrations.ctm.client import CtmClient, connect, record_id

Answer = Callable[[httpx.Request], httpx.Response]
DAY = date(2026, 3, 2)


def client(answer: Answer) -> CtmClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="https://ctm.test")
    return CtmClient(http, "12/3", key="the-key", secret="the-secret")


class Ctm:
    """Answers from a list, and remembers what it was asked."""

    def __init__(self, *answers: Any):
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


async def test_a_form_record_is_created() -> None:
    """JSON to the reactor, with the account's key; the answer names the record."""
    ctm = Ctm({"status": "success", "id": 900000001})
    record = await client(ctm).form_reactor("FRT/1", {"phone_number": "+15551234567", "custom_submission_id": "s1"})
    assert record.id == "900000001"
    (request,) = ctm.requests
    assert (request.method, request.url.raw_path) == ("POST", b"/api/v1/formreactor/FRT%2F1")
    assert json.loads(request.content)["custom_submission_id"] == "s1"
    assert request.headers["authorization"] == httpx.BasicAuth("the-key", "the-secret")._auth_header


async def test_an_answer_without_an_id_is_no_failure() -> None:
    """The record was made: it can be looked for."""
    assert (await client(Ctm({"status": "success"})).form_reactor("F", {})).id is None
    assert (await client(Ctm(httpx.Response(204))).form_reactor("F", {})).id is None


async def test_all_pages_are_read() -> None:
    """Page by page, newest first, with days as CTM writes them."""
    pages = [{"calls": [{"id": n}], "total_pages": 3} for n in (1, 2, 3)]
    ctm = Ctm(*pages)
    found = [page async for page in client(ctm).calls(DAY, DAY)]
    assert found == [[{"id": 1}], [{"id": 2}], [{"id": 3}]]
    assert [dict(request.url.params)["page"] for request in ctm.requests] == ["1", "2", "3"]
    assert dict(ctm.requests[0].url.params) == {
        "per_page": "100",
        "order": "desc",
        "start_date": "2026-03-02",
        "end_date": "2026-03-02",
        "page": "1",
    }
    assert ctm.requests[0].url.raw_path.startswith(b"/api/v1/accounts/12%2F3/calls?")


@pytest.mark.parametrize(
    ("answers", "count"),
    [
        ([{"calls": []}], 0),
        ([{"data": {"calls": [{"id": 1}]}}], 1),
        ([[{"id": 1}, "noise"]], 1),
        ([{"data": [{"id": n} for n in range(100)]}, {"data": [{"id": 1}]}], 101),
        ([{"calls": [{"id": 1}], "next_page": "x"}, {"calls": []}], 1),
    ],
)
async def test_the_end_is_found_in_every_shape(answers: list[Any], count: int) -> None:
    """With and without a page count; what is no record is left out."""
    ctm = Ctm(*answers)
    assert sum([len(page) async for page in client(ctm).calls(DAY)]) == count
    assert ctm.answers == []


@pytest.mark.parametrize("answer", [{"status": "error"}, {}, {"calls": None}, {"data": {"calls": "none"}}])
async def test_an_answer_without_a_list_is_not_the_end(answer: Any) -> None:
    """It is about something else, so the list is asked for again later."""
    with pytest.raises(TryLater):
        await client(Ctm(answer)).page(3, DAY, DAY)


async def test_an_empty_page_before_the_last_is_passed_over() -> None:
    """The count of pages decides, where there is one: calls that went away meanwhile end no listing."""
    ctm = Ctm({"calls": [], "total_pages": 2}, {"calls": [{"id": 1}], "total_pages": 2})
    assert [page async for page in client(ctm).calls(DAY)] == [[{"id": 1}]]


@pytest.mark.parametrize("text", ["<html>Bad gateway</html>", '{"calls": [{"id": 1}', "[" * 100_000])
async def test_an_answer_that_cannot_be_read_may_be_readable_later(text: str) -> None:
    """HTML, half an answer, one without an end."""
    with pytest.raises(TryLater):
        await client(Ctm(httpx.Response(200, text=text))).page(1, DAY, DAY)


async def test_a_rating_is_only_there_when_ctm_says_so() -> None:
    """Neither an answer without a call nor an error in a successful answer is a success."""
    ctm = client(Ctm({"status": "error"}, {"status": "error"}))
    with pytest.raises(TryLater):
        await ctm.sale("7")
    with pytest.raises(TryLater):
        await ctm.rate("7", score=5, conversion=1, value=0, on=DAY)


@pytest.mark.parametrize("day", ["01/31/2026", "soon", 7, None])
async def test_a_sale_of_an_unreadable_day_has_none(day: Any) -> None:
    """Its stars and value are read all the same."""
    sale = await client(Ctm({"id": 7, "sale": {"score": 4, "value": "12.5", "sale_date": day}})).sale("7")
    assert (sale.score, sale.value, sale.day) == (4, 12.5, None)


@pytest.mark.parametrize(
    "custom", [{"submission_id": str(UUID(int=5))}, [{"name": "submission_id", "value": str(UUID(int=5))}]]
)
async def test_a_record_is_found_again(custom: Any) -> None:
    """By our submission id, among calls and other forms, from the day before."""
    others = [{"id": 1}, {"id": 2, "form": None}, {"id": 3, "form": {"custom": {"submission_id": "other"}}}]
    ctm = Ctm({"calls": others, "total_pages": 2}, {"calls": [{"id": 4, "form": {"custom": custom}}], "total_pages": 2})
    since = datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert await client(ctm).find_form_record(UUID(int=5), since) == "4"
    assert dict(ctm.requests[0].url.params)["start_date"] == "2026-03-01"


async def test_a_record_that_is_not_there_is_not_found() -> None:
    """None, after the last page."""
    assert await client(Ctm({"calls": [{"id": 1}], "total_pages": 1})).find_form_record("x", DAY) is None


async def test_a_rating_can_be_taken_away() -> None:
    """Zero stars are sent as zero."""
    ctm = Ctm({"status": "success"})
    await client(ctm).rate("77", score=0, conversion=False, value=0, on=DAY)
    assert ctm.requests[0].url.path == "/api/v1/accounts/12/3/calls/77/sale"
    assert json.loads(ctm.requests[0].content) == {"score": 0, "conversion": 0, "value": 0, "sale_date": "2026-03-02"}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, Reconnect),
        (403, Reconnect),
        (404, Rejected),
        (422, Rejected),
        (429, TryLater),
        (500, TryLater),
        (302, Rejected),
    ],
)
async def test_errors_say_what_to_do_and_nothing_else(status: int, error: type[VendorError]) -> None:
    """One try; the status, never the body."""
    ctm = Ctm(httpx.Response(status, text="secret of a patient", headers={"Retry-After": "7"}))
    with pytest.raises(error) as caught:
        await client(ctm).form_reactor("F", {})
    assert "secret" not in str(caught.value) and caught.value.status == status
    assert caught.value.retry_after_s == 7 and len(ctm.requests) == 1


@pytest.mark.parametrize("trouble", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")])
async def test_an_unreachable_ctm_is_for_later(trouble: httpx.TransportError) -> None:
    """TryLater without a status: nobody knows whether it arrived."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise trouble

    with pytest.raises(TryLater) as caught:
        await client(fail).form_reactor("F", {})
    assert caught.value.status is None


async def test_an_unreadable_answer_is_for_later() -> None:
    """A proxy's HTML page is no answer."""
    with pytest.raises(TryLater):
        await client(Ctm(httpx.Response(200, text="<html>"))).form_reactor("F", {})


async def test_every_timeout_is_set() -> None:
    """Connecting, reading, writing and waiting for a connection."""
    async with connect("https://ctm.test", timeout_s=3) as http:
        assert http.timeout == httpx.Timeout(3)


@given(
    st.dictionaries(
        st.sampled_from(["id", "call_id", "sid", "x"]), st.none() | st.booleans() | st.integers() | st.text()
    )
)
def test_a_records_id_is_text(record: dict[str, Any]) -> None:
    """Whatever stands there."""
    found = record_id(record)
    assert found is None or (isinstance(found, str) and found != "")
