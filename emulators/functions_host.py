"""Every function in one process, as the local cloud runs them: what Cloud Run is to the deployed ones.

Each function is the functions-framework's own ASGI application of ``main.py``, made when it is first called. A request
for a route of the manifest goes to its function; tasks, events and schedules are called at ``POST /_functions/{name}``.
The official Pub/Sub emulator sends no identity with its pushes, so ``?push_key=…`` in a subscription's address stands
for it: Google's front end would have checked the token, here this file does.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from emulators.identity import identity_token
from shared import manifest
from shared.config import settings
from shared.routing import Router
from shared.runtime.services import services

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]
SOURCE = Path(__file__).parent.parent / "main.py"
PREFIX = "/_functions/"


class FunctionsHost:
    """The ASGI application that holds them all."""

    def __init__(self, *, push_key: str = "") -> None:
        self._router = Router.from_functions(manifest.by_trigger("http"))
        self._apps: dict[str, App] = {}
        self._push_key = push_key

    def app(self, name: str) -> App:
        if name not in self._apps:
            from functions_framework.aio import create_asgi_app

            self._apps[name] = create_asgi_app(name, str(SOURCE), "http")
        return self._apps[name]

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        path: str = scope["path"]
        if path.startswith(PREFIX):
            name = path.removeprefix(PREFIX)
            function = manifest.BY_NAME.get(name)
            if function is not None and function.trigger != "http":
                await self.app(name)(self._called_by_google(scope), receive, send)
                return
        match = self._router.match("GET" if scope["method"] == "OPTIONS" else scope["method"], _raw(scope))
        name = match.function.name if match else self._any_function(_raw(scope))
        await self.app(name)(scope, receive, send)

    def _any_function(self, path: str) -> str:
        """A function to answer for a path that none serves with this method: it says 404 or 405 in our shape."""
        for method in self._router.allowed(path):
            match = self._router.match(method, path)
            if match:
                return match.function.name
        return "jobs_check_health"

    def _called_by_google(self, scope: Scope) -> Scope:
        """The scope as a container sees it: at the root, and with the identity that the front end has checked."""
        inner = {**scope, "path": "/", "raw_path": b"/"}
        given = parse_qs(scope.get("query_string", b"").decode()).get("push_key", [""])[0]
        if self._push_key and given == self._push_key:
            token = f"Bearer {identity_token(settings().invoker_email, '')}".encode()
            inner["headers"] = [*scope["headers"], (b"authorization", token)]
        return inner


def _raw(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await services().close()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def serve(port: int) -> None:
    import uvicorn

    app = FunctionsHost(push_key=os.environ.get("PUSH_KEY", ""))
    server = uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="on", proxy_headers=False
        )
    )
    serving = asyncio.ensure_future(server.serve())
    while not server.started and not serving.done():  # noqa: ASYNC110  uvicorn has no event to wait for
        await asyncio.sleep(0.02)
    if server.started:
        print("ready", flush=True)
    await serving


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(int(os.environ.get("PORT", "8081"))))
