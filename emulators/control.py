"""The control API under ``/_emulators/`` and the console page: for people, tests and tools of this machine only.

JSON in and out. Answers 403 to any other machine, and to any web page but the console itself: the ``Host`` must be a
name of this machine (against DNS rebinding) and an ``Origin`` must be that same address (against forged requests).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from emulators import dead
from emulators.component import Component
from emulators.faults import Fault, Faults
from emulators.scheduler import Scheduler
from emulators.vendors.ctm import Account, Ctm
from emulators.vendors.google import Google
from emulators.vendors.mailgun import Mailgun
from emulators.vendors.monday import Monday
from shared.manifest import EVENT_ATTEMPTS, TOPICS, Function, listeners

PAGE = Path(__file__).parent / "console"
PAGE_FILES = {"": "index.html", "console.css": "console.css", "console.js": "console.js", "icon.svg": "icon.svg"}
# A mail is shown in a frame without scripts; its pictures must not tell anybody that it was read.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: cid:"
LARGEST_BODY = 5 * 1024 * 1024

Part = TypeVar("Part")


class Queues(Protocol):
    def snapshot(self) -> Mapping[str, Mapping[str, object]]: ...


class Topics(Protocol):
    async def snapshot(self) -> dict[str, Any]: ...


class Prompts(Protocol):
    def prompts(self) -> list[dict[str, Any]]: ...

    def settings(self) -> dict[str, Any]: ...

    def configure(self, settings: Mapping[str, Any]) -> None: ...


@dataclass(slots=True)
class Cloud:
    """What the control API shows and steers. A part that does not run is None and answers 503."""

    faults: Faults
    functions: tuple[Function, ...]
    components: list[Component] = field(default_factory=list)
    mailgun: Mailgun | None = None
    ctm: Ctm | None = None
    monday: Monday | None = None
    google: Google | None = None
    scheduler: Scheduler | None = None
    cloud_tasks: Queues | None = None
    vertex: Prompts | None = None
    pubsub: Topics | None = None
    database_url: str = ""


class Bad(HTTPException):
    """A 4xx with a sentence that says what is wrong."""


class Control:
    """The ASGI application of everything under ``/_emulators``."""

    def __init__(self, cloud: Cloud):
        self.cloud = cloud
        routes = [
            Route("/status", self._status),
            Route("/functions", self._functions),
            Route("/mail", self._mails, methods=["GET", "DELETE"]),
            Route("/mail/{mail_id}", self._mail),
            Route("/mail/{mail_id}/html", self._mail_html),
            Route("/mail/{mail_id}/events", self._mail_event, methods=["POST"]),
            Route("/ctm", self._ctm_accounts),
            Route("/ctm/{account}", self._ctm_account, methods=["PUT"]),
            Route("/ctm/{account}/calls", self._ctm_calls, methods=["GET", "POST"]),
            Route("/monday/boards", self._monday_boards),
            Route("/monday/boards/{board_id}", self._monday_board, methods=["PUT"]),
            Route("/monday/items", self._monday_items, methods=["GET", "POST"]),
            Route("/monday/items/{item_id}", self._monday_item, methods=["GET", "PATCH"]),
            Route("/google/locations", self._google_locations, methods=["GET", "POST"]),
            Route("/google/reviews", self._google_reviews, methods=["GET", "POST"]),
            Route("/vertex", self._vertex, methods=["GET", "PUT"]),
            Route("/queues", self._queues),
            Route("/events", self._events),
            Route("/schedules", self._schedules),
            Route("/schedules/{name}/run", self._run_schedule, methods=["POST"]),
            Route("/faults", self._faults),
            Route("/faults/{component}", self._fault, methods=["GET", "PUT", "DELETE"]),
            Route("/dead", self._dead),
            Route("/dead/{work_id}/resend", self._resend, methods=["POST"]),
            Route("/{file}", self._page),
            Route("/", self._page),
        ]
        handlers = {HTTPException: _refuse}
        app = Starlette(routes=[Mount("/_emulators", routes=routes)], exception_handlers=handlers)  # type: ignore[arg-type]
        self._app: ASGIApp = LocalOnly(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/_emulators":
            await RedirectResponse("/_emulators/")(scope, receive, send)
            return
        await self._app(scope, receive, send)

    # -- the page and the overview ------------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        name = request.path_params.get("file", "")
        if name not in PAGE_FILES:
            raise Bad(404, "There is no such control.")
        headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
        return FileResponse(PAGE / PAGE_FILES[name], headers=headers)

    async def _status(self, _request: Request) -> Response:
        components = [component.status.as_json() for component in self.cloud.components]
        return JSONResponse({"ready": all(one["ready"] for one in components), "components": components})

    async def _functions(self, _request: Request) -> Response:
        return JSONResponse({"functions": [function_as_json(function) for function in self.cloud.functions]})

    # -- mail ---------------------------------------------------------------------------------------------------------

    async def _mails(self, request: Request) -> Response:
        """Newest first; ``?to=`` keeps those to one address."""
        mailgun = _running(self.cloud.mailgun, "mailgun")
        if request.method == "DELETE":
            mailgun.clear()
            return JSONResponse({"mails": []})
        wanted = request.query_params.get("to", "").lower()
        mails = [
            mail
            for mail in reversed(mailgun.mails)
            if not wanted or wanted in [address.lower() for address in mail.recipients]
        ]
        return JSONResponse(
            {
                "mails": [mail.as_json() for mail in mails],
                "webhooks": [delivery.as_json() for delivery in mailgun.deliveries[-200:]],
            }
        )

    async def _mail(self, request: Request) -> Response:
        return JSONResponse(_running(self.cloud.mailgun, "mailgun").mail(request.path_params["mail_id"]).as_json())

    async def _mail_html(self, request: Request) -> Response:
        """The mail's own page, for a frame: no scripts, no network."""
        mail = _running(self.cloud.mailgun, "mailgun").mail(request.path_params["mail_id"])
        headers = {"Content-Security-Policy": MAIL_POLICY, "X-Content-Type-Options": "nosniff"}
        return Response(mail.html or mail.text, media_type="text/html" if mail.html else "text/plain", headers=headers)

    async def _mail_event(self, request: Request) -> Response:
        """``{event, recipient?, severity?, reason?, code?, message?, url?, ip?, id?, timestamp?}``."""
        mailgun = _running(self.cloud.mailgun, "mailgun")
        mail = mailgun.mail(request.path_params["mail_id"])
        known = {"event", "recipient", "severity", "reason", "code", "message", "url", "ip", "id", "timestamp"}
        given = await _body(request, known)
        event = given.pop("event", None)
        if not isinstance(event, str):
            raise Bad(400, "event is missing")
        if not isinstance(given.get("timestamp", 0), int | float) or not isinstance(given.get("code", 0), int):
            raise Bad(400, "timestamp and code must be numbers")
        return JSONResponse(mailgun.happen(mail, event, **given), 202)

    # -- vendors ------------------------------------------------------------------------------------------------------

    async def _ctm_accounts(self, _request: Request) -> Response:
        ctm = _running(self.cloud.ctm, "ctm")
        return JSONResponse({"accounts": [account.as_json() for account in ctm.accounts.values()]})

    async def _ctm_account(self, request: Request) -> Response:
        """``{api_key?, api_secret?, reactors?}`` opens an account or changes it."""
        given = await _body(request, {"api_key", "api_secret", "reactors"})
        reactors = given.get("reactors", [])
        if not isinstance(reactors, list):
            raise Bad(400, "reactors must be a list")
        account = _running(self.cloud.ctm, "ctm").open_account(
            request.path_params["account"],
            key=given.get("api_key"),
            secret=given.get("api_secret"),
            reactors=tuple(map(str, reactors)),
        )
        return JSONResponse(account.as_json())

    async def _ctm_calls(self, request: Request) -> Response:
        """GET: the calls, newest first. POST: one call, or ``{"calls": […]}``, in CTM's own JSON."""
        ctm = _running(self.cloud.ctm, "ctm")
        number = request.path_params["account"]
        if request.method == "GET":
            known = ctm.accounts.get(number)
            if known is None:
                raise Bad(404, "There is no such CTM account.")
            return JSONResponse({"calls": list(reversed(known.calls))})
        given = await _body(request)
        account: Account = ctm.open_account(number)
        many = given.get("calls")
        if many is not None and not (isinstance(many, list) and all(isinstance(one, dict) for one in many)):
            raise Bad(400, "calls must be a list of objects")
        for one in [given] if many is None else many:
            if not isinstance(one.get("unix_time", 0), int | float):
                raise Bad(400, "unix_time must be a number of seconds")
        made = [ctm.add_call(account, one) for one in ([given] if many is None else many)]
        return JSONResponse(made[0] if many is None else {"calls": made}, 201)

    async def _monday_boards(self, _request: Request) -> Response:
        monday = _running(self.cloud.monday, "monday")
        shown = [
            {"id": board.id, "name": board.name, "groups": board.groups, "columns": board.columns}
            for board in monday.boards.values()
        ]
        return JSONResponse({"boards": shown, "users": monday.users, "webhooks": list(monday.webhooks.values())})

    async def _monday_board(self, request: Request) -> Response:
        """``{name, groups: {id: title}, columns: [{id, title, type, labels?}]}`` opens a board."""
        given = await _body(request, {"name", "groups", "columns"})
        groups, columns = given.get("groups", {"topics": "Active"}), given.get("columns", [])
        if not isinstance(groups, dict) or not groups:
            raise Bad(400, "groups must be an object of id and title")
        if not isinstance(columns, list) or not all(
            isinstance(c, dict) and {"id", "title", "type"} <= set(c) for c in columns
        ):
            raise Bad(400, "columns must be a list of {id, title, type}")
        monday = _running(self.cloud.monday, "monday")
        board_id = request.path_params["board_id"]
        board = monday.add_board(board_id, str(given.get("name", board_id)), groups=groups, columns=columns)
        return JSONResponse({"id": board.id, "name": board.name, "groups": board.groups, "columns": board.columns})

    async def _monday_items(self, request: Request) -> Response:
        """GET: items, ``?board_id=`` keeps one board's. POST ``{board_id, name, group_id?, column_values?}``."""
        monday = _running(self.cloud.monday, "monday")
        if request.method == "POST":
            given = await _body(request, {"board_id", "name", "group_id", "column_values"})
            board_id = str(given.get("board_id", ""))
            if board_id not in monday.boards:
                raise Bad(404, "There is no such board.")
            try:
                values = given.get("column_values") or {}
                item = monday.create_item(board_id, str(given.get("name", "")), given.get("group_id"), values)
            except GraphQLError as error:
                raise Bad(400, error.message) from error
            return JSONResponse(monday.item_as_json(item), 201)
        wanted = request.query_params.get("board_id")
        items = [item for item in monday.items.values() if wanted in (None, item.board_id)]
        return JSONResponse({"items": [monday.item_as_json(item) for item in reversed(items)]})

    async def _monday_item(self, request: Request) -> Response:
        monday = _running(self.cloud.monday, "monday")
        item = monday.items.get(request.path_params["item_id"])
        if item is None:
            raise Bad(404, "There is no such item.")
        if request.method == "PATCH":
            monday.change_as_person(item.id, await _body(request))
        return JSONResponse(monday.item_as_json(item))

    async def _google_locations(self, request: Request) -> Response:
        """POST ``{account, account_name?, location, title}`` adds a location, and its account when it is new."""
        google = _running(self.cloud.google, "google")
        if request.method == "POST":
            given = await _body(request, {"account", "account_name", "location", "title"})
            account, location = str(given.get("account", "")), str(given.get("location", ""))
            if not account.isdigit() or not location.isdigit():
                raise Bad(400, "account and location must be numbers")
            if account not in google.accounts:
                google.add_account(account, str(given.get("account_name", "Business")))
            google.add_location(account, location, str(given.get("title", "Location")))
        return JSONResponse({"locations": [{"path": path, **one} for path, one in google.locations.items()]})

    async def _google_reviews(self, request: Request) -> Response:
        google = _running(self.cloud.google, "google")
        if request.method == "POST":
            known = {"location", "rating", "comment", "reviewer", "reviewId", "createTime", "updateTime", "reviewReply"}
            return JSONResponse(google.add_review(await _body(request, known)), 201)
        reviews = sorted(google.reviews.values(), key=lambda review: review["updateTime"], reverse=True)
        return JSONResponse({"reviews": reviews})

    async def _vertex(self, request: Request) -> Response:
        """GET: prompts received. PUT: what the stand-in takes (canned answers by substring, latency)."""
        vertex = _running(self.cloud.vertex, "vertex")
        if request.method == "PUT":
            given = await _body(request)
            try:
                vertex.configure(given)
            except (TypeError, ValueError) as error:
                raise Bad(400, str(error)) from error
        return JSONResponse({"prompts": vertex.prompts(), **vertex.settings()})

    # -- work ---------------------------------------------------------------------------------------------------------

    async def _queues(self, _request: Request) -> Response:
        return JSONResponse({"queues": _running(self.cloud.cloud_tasks, "cloud_tasks").snapshot()})

    async def _events(self, _request: Request) -> Response:
        """Topics with what was published and who listens; deliveries as far as the Pub/Sub in use tells them."""
        pubsub = self.cloud.pubsub
        seen = await pubsub.snapshot() if pubsub is not None else {"topics": {}, "subscriptions": {}}
        topics = {
            topic: {
                "says": says,
                "listeners": [one.name for one in listeners(topic)],
                "attempts": EVENT_ATTEMPTS,
                **seen["topics"].get(topic, {}),
            }
            for topic, says in TOPICS.items()
        }
        for subscription in seen["subscriptions"].values():
            subscription["endpoint"] = subscription["endpoint"].partition("?")[0]  # without its key
        return JSONResponse({"topics": topics, "subscriptions": seen["subscriptions"]})

    async def _schedules(self, _request: Request) -> Response:
        return JSONResponse({"schedules": _running(self.cloud.scheduler, "scheduler").as_json()})

    async def _run_schedule(self, request: Request) -> Response:
        scheduler = _running(self.cloud.scheduler, "scheduler")
        name = request.path_params["name"]
        if name not in scheduler.functions:
            raise Bad(404, "There is no such schedule.")
        run = await scheduler.run(name)
        return JSONResponse(
            {"name": name, "schedule_time": run.at, "status": run.status, "seconds": round(run.seconds, 3)}
        )

    async def _dead(self, _request: Request) -> Response:
        return JSONResponse({"work": await dead.list_dead(_running(self.cloud.database_url, "database"))})

    async def _resend(self, request: Request) -> Response:
        """Revive dead work and let the sweep send it at once."""
        try:
            work_id = UUID(request.path_params["work_id"])
        except ValueError as error:
            raise Bad(404, "There is no such dead work.") from error
        if not await dead.revive(_running(self.cloud.database_url, "database"), work_id):
            raise Bad(404, "There is no such dead work.")
        swept = None
        if self.cloud.scheduler is not None and "jobs_sweep_outbox" in self.cloud.scheduler.functions:
            swept = (await self.cloud.scheduler.run("jobs_sweep_outbox")).status
        return JSONResponse({"id": str(work_id), "sweep_status": swept}, 202)

    # -- faults -------------------------------------------------------------------------------------------------------

    async def _faults(self, _request: Request) -> Response:
        return JSONResponse({"faults": self.cloud.faults.as_json(), "components": self._can_fail()})

    async def _fault(self, request: Request) -> Response:
        component = request.path_params["component"]
        if component not in self._can_fail():
            raise Bad(404, f"Nothing named {component} can fail. Known: {', '.join(self._can_fail())}")
        if request.method == "PUT":
            self.cloud.faults.put(component, _fault(await _body(request, {one.name for one in fields(Fault)})))
        elif request.method == "DELETE":
            self.cloud.faults.clear(component)
        return JSONResponse({"component": component, "fault": self.cloud.faults.as_json().get(component)})

    def _can_fail(self) -> list[str]:
        standing_in = {one.status.name for one in self.cloud.components if one.status.kind == "stand-in"}
        if "facebook" in standing_in:
            standing_in.add("instagram")  # answered by the same Graph
        return sorted(standing_in - {"scheduler"})


class LocalOnly:
    """Lets requests of this machine through, from the console or from no web page at all."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _foreign(scope)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        await JSONResponse({"message": refusal, "code": "FORBIDDEN"}, 403)(scope, receive, send)


def _foreign(scope: Scope) -> str | None:
    """Why a request may not steer the local cloud, or None."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    peer = scope["client"][0] if scope.get("client") else ""
    try:
        local = ip_address(peer).is_loopback
    except ValueError:
        local = False
    if not local:
        return "The local cloud is steered from its own machine only."
    host = headers.get(b"host", "")
    if not _is_this_machine(host):
        return "The Host header names another machine."
    origin = headers.get(b"origin")
    if origin is not None and origin != f"{scope['scheme']}://{host}":
        return "Another web page may not steer the local cloud."
    if origin is None and headers.get(b"sec-fetch-site") == "cross-site" and scope["method"] not in ("GET", "HEAD"):
        return "Another web page may not steer the local cloud."
    return None


def _is_this_machine(host: str) -> bool:
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return name in ("localhost", "127.0.0.1", "::1") or name.endswith(".localhost")


def function_as_json(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "trigger": function.trigger,
        "routes": list(function.routes),
        "access": str(function.access),
        "queue": function.queue,
        "topic": function.topic,
        "cron": function.cron,
        "timeout_s": function.timeout_s,
        "memory_mb": function.memory_mb,
    }


def _fault(given: Mapping[str, Any]) -> Fault:
    """A fault from JSON; 400 names the field that is wrong."""
    status, latency, times, drop = (given.get(name) for name in ("status", "latency_ms", "times", "drop"))
    if status is not None and not (_is_count(status) and 400 <= status <= 599):
        raise Bad(400, "status must be from 400 to 599")
    if latency is not None and not (_is_count(latency) and latency <= 600_000):
        raise Bad(400, "latency_ms must be from 0 to 600000")
    if times is not None and not (_is_count(times) and times > 0):
        raise Bad(400, "times must be 1 or more")
    if drop is not None and not isinstance(drop, bool):
        raise Bad(400, "drop must be true or false")
    if status is None and not latency and not drop:
        raise Bad(400, "a fault needs a status, a latency_ms or drop")
    return Fault(status=status, latency_ms=latency or 0, times=times, drop=bool(drop))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _running(part: Part | None, name: str) -> Part:
    if not part:
        raise Bad(503, f"{name} does not run in this local cloud.")
    return part


async def _body(request: Request, known: set[str] | None = None) -> dict[str, Any]:
    """The JSON object of the body; 400 when it is none or has a field that is not *known*."""
    raw = await request.body()
    if len(raw) > LARGEST_BODY:
        raise Bad(413, "The body is too large.")
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise Bad(400, "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise Bad(400, "The body must be a JSON object.")
    strange = set(body) - known if known is not None else set()
    if strange:
        raise Bad(400, f"Unknown: {', '.join(sorted(strange))}. Known: {', '.join(sorted(known or ()))}.")
    return body


async def _refuse(_request: Request, error: HTTPException) -> Response:
    codes = {400: "VALIDATION_ERROR", 403: "FORBIDDEN", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "TOO_LARGE"}
    body = {"message": error.detail, "code": codes.get(error.status_code, "UNAVAILABLE")}
    return JSONResponse(body, error.status_code, headers=error.headers)
