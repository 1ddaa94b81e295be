"""What every vendor stand-in shares: a port of its own, faults in the vendor's words, and background deliveries."""

from __future__ import annotations

import asyncio
import base64
import binascii
import itertools
import secrets
from collections.abc import Coroutine, Mapping
from typing import Any, ClassVar

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from emulators.component import Status
from emulators.faults import Faults
from emulators.serving import AsgiServer


class Refused(HTTPException):
    """An unsuccessful answer; the vendor's ``error_response`` puts it into the vendor's own shape."""


class Vendor:
    """Base of the stand-ins. A subclass names itself, lists its routes and says what its errors look like."""

    name: ClassVar[str]
    version: ClassVar[str] = ""

    def __init__(self, faults: Faults, *, port: int = 0):
        self.faults = faults
        self.status = Status(self.name, "stand-in", version=self.version)
        self.env: dict[str, str] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._http: httpx.AsyncClient | None = None
        app = Starlette(routes=self.routes(), exception_handlers={HTTPException: self._refuse})
        self.server = AsgiServer(_Faulty(app, self), port=port)

    @property
    def url(self) -> str:
        return self.server.url

    def routes(self) -> list[BaseRoute]:
        raise NotImplementedError

    def settings(self) -> dict[str, str]:
        """The environment variables that point the functions here; asked for once the port is known."""
        raise NotImplementedError

    def error_response(self, status: int, message: str) -> Response:
        """An error as this vendor words it."""
        return JSONResponse({"error": message}, status)

    def fault_names(self, scope: Scope) -> tuple[str, ...]:
        """Which faults strike this request: its own vendor's, unless one address speaks for several."""
        return (self.name,)

    async def start(self) -> None:
        await self.server.start()
        self.env = self.settings()
        self.status.port = self.server.port
        self.status.ready = True

    async def stop(self) -> None:
        self.status.ready = False
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()
            self._http = None
        await self.server.stop()

    @property
    def http(self) -> httpx.AsyncClient:
        """What the vendor sends its webhooks with."""
        if self._http is None:
            self._http = httpx.AsyncClient(timeout=30, trust_env=False)
        return self._http

    def soon(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run *work* in the background; ``stop`` ends it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until no webhook is on its way any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _refuse(self, _request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = self.error_response(error.status_code, error.detail)
        response.headers.update(error.headers or {})
        return response


class _Faulty:
    """Lets an injected fault answer before the vendor does."""

    def __init__(self, app: ASGIApp, vendor: Vendor):
        self._app, self._vendor = app, vendor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for name in self._vendor.fault_names(scope):
            fault = await self._vendor.faults.strike(name)
            if fault is None:
                continue
            if fault.drop:
                scope["extensions"]["drop"]()
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
            status = fault.status or 500
            response = self._vendor.error_response(status, "fault injected")
            if status in (429, 503):
                response.headers["Retry-After"] = "1"
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """User and password of HTTP Basic, or None when there is none to read."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


def bearer_token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def same(given: str, expected: str) -> bool:
    return secrets.compare_digest(given.encode(), expected.encode())


async def fields(request: Request) -> dict[str, Any]:
    """The body's fields, sent as JSON, urlencoded or multipart. A JSON body that is no object is a 400."""
    if request.headers.get("content-type", "").partition(";")[0].strip() in (
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ):
        return dict(await request.form())
    return await json_object(request)


async def json_object(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise Refused(400, "The body is not valid JSON") from error
    if not isinstance(body, dict):
        raise Refused(400, "The body is not a JSON object")
    return body


def whole_number(params: Mapping[str, str], name: str, *, default: int, least: int = 1, most: int | None = None) -> int:
    """A paging parameter: 400 unless it is a whole number, clamped to what the vendor allows."""
    text = params.get(name, "")
    if not text:
        return default
    if not text.lstrip("-").isascii() or not text.lstrip("-").isdigit():
        raise Refused(400, f"{name} must be a whole number")
    value = max(least, int(text))
    return value if most is None else min(value, most)


def numbers(first: int) -> itertools.count[int]:
    return itertools.count(first)
