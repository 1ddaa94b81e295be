"""CallTrackingMetrics: calls with paging, sales (ratings), and FormReactor posts that become form leads.

Shapes: api-leads "CTM pull" for the calls a dashboard reads, api-forms §4 for FormReactor, and the vendor's REST page
(calltrackingmetrics.com/docs/api/rest/calls) for the paging keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from emulators.faults import Faults
from emulators.vendors.vendor import (
    Refused,
    Vendor,
    basic_credentials,
    fields,
    json_object,
    numbers,
    same,
    whole_number,
)

MOST_PER_PAGE = 100
FORM_FIELDS = ("caller_name", "email", "country_code", "visitor_sid")


@dataclass(slots=True)
class Account:
    """One CTM account with its key pair, its FormReactors and its calls, oldest first."""

    number: str
    key: str
    secret: str
    reactors: set[str] = field(default_factory=set)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def call(self, call_id: str) -> dict[str, Any]:
        """The call, or 404."""
        for call in self.calls:
            if str(call["id"]) == call_id:
                return call
        raise Refused(404, "Call not found")

    def as_json(self) -> dict[str, Any]:
        return {
            "account": self.number,
            "api_key": self.key,
            "api_secret": self.secret,
            "reactors": sorted(self.reactors),
            "calls": len(self.calls),
        }


class Ctm(Vendor):
    """The REST API of CallTrackingMetrics. Accounts are opened by ``open_account`` or through the control API."""

    name = "ctm"
    version = "v1"

    def __init__(self, faults: Faults, *, port: int = 0):
        super().__init__(faults, port=port)
        self.accounts: dict[str, Account] = {}
        self._ids = numbers(900_000_001)

    def settings(self) -> dict[str, str]:
        return {"CTM_API_BASE": self.url}

    def routes(self) -> list[BaseRoute]:
        account = "/api/v1/accounts/{account}"
        return [
            Route(f"{account}/calls", self._list, methods=["GET"]),
            Route(f"{account}/calls.json", self._list, methods=["GET"]),
            Route(f"{account}/calls/{{call_id}}", self._get, methods=["GET"]),
            Route(f"{account}/calls/{{call_id}}/sale", self._sale, methods=["POST"]),
            Route("/api/v1/formreactor/{reactor}", self._form, methods=["POST"]),
        ]

    def error_response(self, status: int, message: str) -> Response:
        return JSONResponse({"status": "error", "reason": message}, status)

    def open_account(
        self, number: str, *, key: str | None = None, secret: str | None = None, reactors: tuple[str, ...] = ()
    ) -> Account:
        """Open an account, or change its keys and add reactors. Unnamed keys are ``key-<n>`` and ``secret-<n>``."""
        known = self.accounts.get(number)
        if known is None:
            known = Account(number, key or f"key-{number}", secret or f"secret-{number}", {f"FRT{number}"})
            self.accounts[number] = known
        known.key, known.secret = key or known.key, secret or known.secret
        known.reactors.update(reactors)
        return known

    def add_call(self, account: Account, given: Mapping[str, Any]) -> dict[str, Any]:
        """Record a call; what *given* leaves out is what CTM shows for a plain answered call of just now."""
        now = datetime.now(UTC)
        number = next(self._ids)
        unix_time = int(given.get("unix_time") or now.timestamp())
        call: dict[str, Any] = {
            "id": number,
            "sid": f"CA{number:032x}",
            "account_id": account.number,
            "name": "",
            "caller_number": "",
            "contact_number": given.get("caller_number", ""),
            "tracking_number": "+15555550100",
            "tracking_number_name": given.get("source", "Google Ads"),
            "source": "Google Ads",
            "direction": "inbound",
            "status": "answered",
            "duration": 0,
            "talk_time": given.get("duration", 0),
            "city": "",
            "state": "",
            "country": "US",
            "called_at": datetime.fromtimestamp(unix_time, UTC).strftime("%Y-%m-%d %I:%M %p +00:00"),
            "unix_time": unix_time,
            "audio": None,
            "sale": None,
            **given,
        }
        account.calls.append(call)
        account.calls.sort(key=lambda one: one["unix_time"])  # stable: equal times stay in the order they came
        return call

    async def _list(self, request: Request) -> Response:
        account = self._signed_in(request)
        query = request.query_params
        calls = [call for call in account.calls if _asked_for(call, query)]
        if query.get("order", "desc") != "asc":
            calls.reverse()
        per_page = whole_number(query, "per_page", default=10, most=MOST_PER_PAGE)
        page = whole_number(query, "page", default=1)
        pages = -(-len(calls) // per_page)
        return JSONResponse(
            {
                "calls": calls[(page - 1) * per_page : page * per_page],
                "page": page,
                "per_page": per_page,
                "total_entries": len(calls),
                "total_pages": pages,
                "next_page": self._page_url(request, page + 1) if page < pages else None,
                "previous_page": self._page_url(request, page - 1) if page > 1 else None,
            }
        )

    async def _get(self, request: Request) -> Response:
        call_id = request.path_params["call_id"].removesuffix(".json")
        return JSONResponse(self._signed_in(request).call(call_id))

    async def _sale(self, request: Request) -> Response:
        call = self._signed_in(request).call(request.path_params["call_id"])
        sale = await json_object(request)
        score = sale.get("score")
        if score is not None and (not isinstance(score, int) or isinstance(score, bool) or not 0 <= score <= 5):
            raise Refused(422, "score must be a whole number from 0 to 5")
        sale_date = sale.get("sale_date")
        if sale_date is not None:
            _day(str(sale_date), "sale_date", status=422)
        call["sale"] = {**(call["sale"] or {}), **sale}
        return JSONResponse({"status": "success", "id": call["id"], "sale": call["sale"]})

    async def _form(self, request: Request) -> Response:
        account = self._signed_in_to_reactor(request)
        answers = await fields(request)
        phone = str(answers.get("phone_number") or "").strip()
        if len(re.sub(r"\D", "", phone)) < 7:
            raise Refused(422, "phone_number is missing or is no phone number")
        form = {
            "form_id": request.path_params["reactor"],
            "custom": {name.removeprefix("custom_"): value for name, value in answers.items() if name[:7] == "custom_"},
        }
        call = self.add_call(
            account,
            {
                "name": str(answers.get("caller_name") or ""),
                "caller_number": phone,
                "phone_number": phone,
                **{name: answers[name] for name in FORM_FIELDS if name in answers},
                "direction": "form",
                "activity_type": "form",
                "status": "completed",
                "source": "FormReactor",
                "form": form,
            },
        )
        return JSONResponse({"status": "success", "id": call["id"], "trackback_id": call["sid"]})

    def _signed_in(self, request: Request) -> Account:
        """The account of the path; 401 unless the key pair is its own, whether or not it exists."""
        account = self.accounts.get(request.path_params["account"])
        if account is None or not _holds(request, account):
            raise Refused(401, "Not authorized")
        return account

    def _signed_in_to_reactor(self, request: Request) -> Account:
        mine = [account for account in self.accounts.values() if _holds(request, account)]
        if not mine:
            raise Refused(401, "Not authorized")
        for account in mine:
            if request.path_params["reactor"] in account.reactors:
                return account
        raise Refused(404, "FormReactor not found")

    def _page_url(self, request: Request, page: int) -> str:
        query = urlencode({**request.query_params, "page": page})
        return f"{self.url}{request.url.path}?{query}"


def _holds(request: Request, account: Account) -> bool:
    given = basic_credentials(request)
    return given is not None and same(given[0], account.key) and same(given[1], account.secret)


def _asked_for(call: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Whether a call lies in the days asked for (UTC, both included) and has the number asked for."""
    day = datetime.fromtimestamp(call["unix_time"], UTC).date()
    if query.get("start_date") and day < _day(query["start_date"], "start_date"):
        return False
    if query.get("end_date") and day > _day(query["end_date"], "end_date"):
        return False
    digits = re.sub(r"\D", "", query.get("caller_number", ""))
    return not digits or digits in re.sub(r"\D", "", str(call["caller_number"]))


def _day(text: str, name: str, *, status: int = 400) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise Refused(status, f"{name} must be a date (YYYY-MM-DD)") from error
