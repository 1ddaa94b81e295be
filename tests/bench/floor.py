"""The least that a function could do: what the framework itself costs, and one INSERT."""

from __future__ import annotations

import os
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

_pool: Any = None


async def pool() -> Any:
    """The connections of this process to the bench's database."""
    global _pool
    if _pool is None:
        import asyncpg

        _pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=0, max_size=4)
    return _pool


async def constant(request: Request) -> JSONResponse:
    """Read the body, answer a constant."""
    await request.body()
    return JSONResponse({"success": True}, status_code=201)


async def one_insert(request: Request) -> JSONResponse:
    """Read the body, insert it as one row, answer a constant."""
    body = await request.body()
    await (await pool()).execute("insert into bench_floor (body) values ($1)", body.decode())
    return JSONResponse({"success": True}, status_code=201)
