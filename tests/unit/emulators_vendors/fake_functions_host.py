"""A functions host that tells its environment and headers, and imports little, so that it starts quickly."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from emulators.serving import AsgiServer


async def app(scope: Any, receive: Any, send: Any) -> None:
    request = Request(scope, receive)
    body = {"path": scope["path"], "pid": os.getpid(), "env": dict(os.environ), "headers": dict(request.headers)}
    await JSONResponse(body)(scope, receive, send)


async def serve() -> None:
    server = AsgiServer(app, port=int(os.environ["PORT"]))
    await server.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
