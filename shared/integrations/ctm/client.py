"""Reads, creates and rates the records of one CallTrackingMetrics account.

Sources: https://www.calltrackingmetrics.com/docs (calls, content types, keys) and the platform's integration document.
Every call is tried once: trying again is the queue's work. Errors: ``TryLater`` (unreachable, rationed, broken),
``Reconnect`` (key refused), ``Rejected`` (our request is wrong); none carries what CTM answered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

from shared.errors import TryLater, vendor_error
from shared.integrations.ctm.records import CallRecord, read_call, record_id, sale_of, score_of

if TYPE_CHECKING:
    import httpx

PAGE_SIZE = 100
MAX_PAGES = 1000  # of one listing; more means that CTM's page count cannot be believed


def connect(base_url: str, *, timeout_s: float) -> httpx.AsyncClient:
    """A connection pool, for every account. Close it, or keep it as long as the instance lives."""
    import httpx

    return httpx.AsyncClient(base_url=base_url, timeout=timeout_s, headers={"Accept": "application/json"})


@dataclass(frozen=True, slots=True)
class CtmRecord:
    """A record that CTM made. ``id`` is None where its answer did not name one: then ``find_form_record`` does."""

    id: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, newest calls first. ``is_last``: nothing follows."""

    calls: list[CallRecord]
    is_last: bool


@dataclass(frozen=True, slots=True)
class Sale:
    """What CTM holds of a call's rating: stars 0 to 5, the sale's value, and its day (None when it has none)."""

    score: int
    value: float
    day: date | None


class CtmClient:
    """One account: its number, as in CTM's addresses, and its access key and secret."""

    def __init__(self, http: httpx.AsyncClient, account: str, *, key: str, secret: str):
        self._http = http
        self._auth = (key, secret)
        self._account = f"/api/v1/accounts/{quote(account, safe='')}"

    async def form_reactor(self, reactor_id: str, body: Mapping[str, object]) -> CtmRecord:
        """Create a form record: ``POST /api/v1/formreactor/{reactor_id}``.

        *body*: ``phone_number`` (CTM asks for it), ``caller_name``, ``email``, ``country_code``, ``visitor_sid``,
        and any ``custom_*``, among them ``custom_submission_id``. A TryLater may come after CTM made the record: look
        for it with ``find_form_record`` before trying again.
        """
        answer = await self._call("POST", f"/api/v1/formreactor/{quote(reactor_id, safe='')}", json=dict(body))
        return CtmRecord(record_id(answer))

    async def find_form_record(self, submission_id: UUID | str, since: date) -> str | None:
        """The id of the form record made for this submission on *since* or later, None when there is none.

        Asks from the day before: CTM's days are those of the account's time zone.
        """
        async for page in self.calls(since - timedelta(days=1)):
            for record in page:
                if _submission_of(record) == str(submission_id):
                    return record_id(record)
        return None

    async def page(self, number: int, since: date, until: date) -> Page:
        """Page *number* (from 1) of the calls of the days *since* to *until*, both included."""
        records, is_last = await self._page(number, since, until)
        return Page([call for call in map(read_call, records) if call is not None], is_last)

    async def sale(self, call_id: str) -> Sale:
        """The rating that a call has now: ``GET …/calls/{id}``."""
        record = await self._call("GET", f"{self._account}/calls/{quote(call_id, safe='')}")
        if record_id(record) is None:
            raise TryLater("ctm", reason="an answer without a call")
        value, day = sale_of(record)
        return Sale(score_of(record), value, day)

    async def rate(self, call_id: str, *, score: int, conversion: int, value: float, on: date) -> None:
        """Set a record's sale: ``score`` 0 (none) to 5, ``conversion`` 0 or 1, ``value`` in the account's currency."""
        body = {"score": score, "conversion": int(conversion), "value": value, "sale_date": _day(on)}
        answer = await self._call("POST", f"{self._account}/calls/{quote(call_id, safe='')}/sale", json=body)
        if answer.get("status") == "error":
            raise TryLater("ctm", reason="an error that is told as a success")

    async def calls(self, since: date, until: date | None = None) -> AsyncIterator[list[dict[str, Any]]]:
        """Pages of call records in CTM's own JSON, newest first, of the days *since* to *until* (both included)."""
        for number in range(1, MAX_PAGES + 1):
            page, is_last = await self._page(number, since, until)
            if page:
                yield page
            if is_last:
                return
        raise TryLater("ctm", reason=f"more than {MAX_PAGES} pages")

    async def _page(self, number: int, since: date, until: date | None) -> tuple[list[dict[str, Any]], bool]:
        params: dict[str, str | int] = {
            "per_page": PAGE_SIZE, "order": "desc", "start_date": _day(since), "page": number,
        }  # fmt: skip
        if until:
            params["end_date"] = _day(until)
        answer = await self._call("GET", f"{self._account}/calls", params=params)
        page = _records(answer)
        return page, _is_last(answer, number, len(page))

    async def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        import httpx

        try:
            answer = await self._http.request(method, path, auth=self._auth, **request)
        except httpx.RequestError as error:
            raise TryLater("ctm", reason=type(error).__name__) from error
        if not answer.is_success:
            raise vendor_error("ctm", answer.status_code, retry_after=answer.headers.get("Retry-After"))
        if not answer.content:
            return {}
        try:
            told = answer.json()
        except (ValueError, RecursionError) as error:
            raise TryLater("ctm", status=answer.status_code, reason="unreadable answer") from error
        return told if isinstance(told, dict) else {"calls": told}


def _day(when: date) -> str:
    """A day as CTM writes it, also of a time."""
    return f"{when:%Y-%m-%d}"


def _records(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The list of calls: under ``calls``, under ``data``, or under ``data.calls``.

    TryLater when there is none: an answer about something else must not pass for the end of the list.
    """
    data = answer.get("data")
    places = (answer.get("calls"), data.get("calls") if isinstance(data, dict) else data)
    found = next((place for place in places if isinstance(place, list)), None)
    if found is None:
        raise TryLater("ctm", reason="an answer without a list of calls")
    return [record for record in found if isinstance(record, dict)]


def _is_last(answer: Mapping[str, Any], number: int, length: int) -> bool:
    """By the count of pages where there is one; else an empty page, or a short one without a next."""
    total = answer.get("total_pages")
    if isinstance(total, int) and not isinstance(total, bool):
        return number >= total
    return not length or (not answer.get("next_page") and length < PAGE_SIZE)


def _submission_of(record: Mapping[str, Any]) -> str | None:
    """What a form record holds as ``submission_id``: ``form.custom`` is an object, or a list of names and values."""
    form = record.get("form")
    custom = form.get("custom") if isinstance(form, dict) else None
    if isinstance(custom, list):
        custom = {one.get("name") or one.get("id"): one.get("value") for one in custom if isinstance(one, dict)}
    if not isinstance(custom, dict):
        return None
    told = custom.get("submission_id") or custom.get("custom_submission_id")
    return told if isinstance(told, str) else None
