"""Vendors on real ports, and a place where their webhooks arrive."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulators.faults import Faults
from emulators.serving import AsgiServer
from emulators.vendors.vendor import Vendor


class Inbox:
    """Receives webhooks; ``answers`` are given one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], Any]] = []
        self.answers: list[int] = [200]
        self.server = AsgiServer(self._app)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body = await request.json()
        response: Response
        if "challenge" in body:
            response = JSONResponse(body if self.answers[0] == 200 else {})
        else:
            self.received.append((dict(request.headers), body))
            response = Response(status_code=self.answers[0])
        if len(self.answers) > 1:
            self.answers.pop(0)
        await response(scope, receive, send)


@pytest_asyncio.fixture
async def inbox() -> AsyncIterator[Inbox]:
    box = Inbox()
    await box.server.start()
    yield box
    await box.server.stop()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@contextlib.asynccontextmanager
async def running(vendor: Vendor, **client: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A started vendor and a client of it."""
    await vendor.start()
    try:
        async with httpx.AsyncClient(base_url=vendor.url, trust_env=False, **client) as http:
            yield http
    finally:
        await vendor.stop()


@pytest.fixture(name="running")
def _running() -> Callable[..., contextlib.AbstractAsyncContextManager[httpx.AsyncClient]]:
    return running
