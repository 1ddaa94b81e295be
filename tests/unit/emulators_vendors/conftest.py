"""A tiny functions host to stand behind the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from emulators.serving import AsgiServer


async def echo(request: Request) -> Response:
    body = await request.body()
    return JSONResponse(
        {
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.scope["query_string"].decode(),
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": body.decode(errors="replace"),
            "size": len(body),
        },
        headers={"X-Echo": "yes"},
    )


async def slow(_request: Request) -> Response:
    await asyncio.sleep(30)
    return Response("late")


async def half(_request: Request) -> Response:
    async def lines() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.sleep(30)

    return StreamingResponse(lines())


async def cookies(request: Request) -> Response:
    response = Response(b"x" * 1024 * 1024 * int(request.query_params.get("mb", 0)), 201)
    response.set_cookie("one", "1")
    response.set_cookie("two", "2")
    return response


METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def functions_host() -> AsyncIterator[AsgiServer]:
    app = Starlette(
        routes=[
            Route("/api/slow", slow),
            Route("/api/half", half),
            Route("/api/cookies", cookies),
            Route("/{path:path}", echo, methods=METHODS),
        ]
    )
    server = AsgiServer(app)
    await server.start()
    yield server
    await server.stop()
