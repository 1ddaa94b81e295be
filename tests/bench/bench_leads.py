"""How fast leads are synced and listed: ``python -m tests.bench.bench_leads [sync|list]``.

sync: 500 new calls with transcripts, 100 ms a page at CTM and 300 ms a prompt at Vertex: the time until every call is
stored and classified. list: the first page and a search with 1,000, 10,000 and 50,000 calls, asked by 8 at once:
requests a second, 95th percentile, and both against the same rows fetched by one bare query, as PostgreSQL makes them
JSON and as plain records. Everything runs in this process, on the functions-framework's own applications, a real
PostgreSQL and the vendors' stand-ins.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import UUID

from emulators.faults import Fault
from emulators.functions_host import FunctionsHost
from emulators.postgres import create_database, server
from shared.db.migrate import migrate
from shared.runtime import log
from tests.functions.conftest import SECRETS, World, open_world
from tests.functions.leads import a_client

CALLS = 500
SIZES = (1_000, 10_000, 50_000)
AT_ONCE = 8
SECONDS = 4.0
WORDS = "We talked about the roof, the price, the day that suits and who will be at home when the team arrives. " * 14


@dataclass
class Measured:
    rate: float
    p95_ms: float

    def __str__(self) -> str:
        return f"{self.rate:7.0f}/s  p95 {self.p95_ms:6.1f} ms"


@asynccontextmanager
async def the_world() -> AsyncIterator[World]:
    """As the tests' world, in a database and with stand-ins of its own."""
    os.environ.update(SECRETS)
    log.info = lambda *_, **__: None  # a line for each request would be measured too
    with tempfile.TemporaryDirectory() as folder, server(Path(folder) / "data") as admin_url:
        url = create_database(admin_url, f"bench_leads_{os.getpid()}", None)
        await asyncio.to_thread(migrate, url)
        files = Path(folder) / "files"
        files.mkdir()
        async with open_world(url, files) as world:
            yield world


async def bench_sync(world: World) -> None:
    warm = await a_client(world)
    warm.add_call(transcript="warms the connections up")
    await warm.sync()
    client = await a_client(world)
    for number in range(CALLS):
        client.add_call(transcript=f"How much is a consultation? {WORDS} {number}", caller_number=f"+1555{number:07d}")
    world.faults.put("ctm", Fault(latency_ms=100))
    world.vertex.configure({"latency_ms": 300})

    started = time.perf_counter()
    answer = await client.sync()
    took = time.perf_counter() - started

    labelled = await world.db.fetchval(
        "select count(*) from call_logs where owner_user_id = $1 and category = 'warm'", client.id
    )
    assert (answer["newCalls"], labelled) == (CALLS, CALLS), (answer, labelled)
    world.faults.clear("ctm")
    world.vertex.configure({"latency_ms": 0})
    print(
        f"{CALLS} calls stored and classified in {took:.1f} s (goal 8 s; one after the other {CALLS * 0.3 + 0.5:.0f} s)"
    )


async def bench_list(world: World) -> None:
    print(
        f"{AT_ONCE} at once, {SECONDS:.0f} s each; 50 calls a page, six in ten with {len(WORDS)} letters of transcript"
    )
    for size in SIZES:
        client = await a_client(world)
        await _fill(world, client.id, size)
        await _measure(world, client.id, client.headers, f"{size:6,d} first page", "")
        await _measure(world, client.id, client.headers, f"{size:6,d} search    ", "zora quill")


async def _measure(world: World, owner: UUID, headers: dict[str, str], name: str, search: str) -> None:
    app = FunctionsHost()
    query = f"search={search.replace(' ', '%20')}".encode() if search else b""

    async def ask() -> int:
        return await _get(app, "/api/hub/calls", query, headers)

    where = "and search_text like '%' || $2 || '%'" if search else ""
    values = (owner, search) if search else (owner,)
    chosen = (
        f"from call_logs where owner_user_id = $1 {where} order by started_at desc nulls last, call_id desc limit 50"
    )

    async def bare() -> int:
        return len(await world.db.fetch(f"select * {chosen}", *values))

    async def bare_json() -> int:
        return len(await world.db.fetchval(f"select json_agg(c)::text from (select * {chosen}) c", *values))

    endpoint, records, as_json = await _load(ask), await _load(bare), await _load(bare_json)
    print(
        f"{name}  {endpoint}   bare records {records} ({endpoint.rate / records.rate:4.0%})"
        f"   bare JSON {as_json} ({endpoint.rate / as_json.rate:4.0%})",
        flush=True,
    )


async def _load(ask: Callable[[], Awaitable[int]]) -> Measured:
    for _ in range(20):
        await ask()
    times: list[float] = []
    until = time.perf_counter() + SECONDS

    async def one() -> None:
        while (begun := time.perf_counter()) < until:
            assert await ask()
            times.append(time.perf_counter() - begun)

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return Measured(len(times) / SECONDS, quantiles(times, n=20)[-1] * 1000)


async def _get(app: Any, path: str, query: bytes, headers: dict[str, str]) -> int:
    """A GET, without the cost of an HTTP client."""
    given = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query, "root_path": "", "headers": given,
        "client": ("127.0.0.1", 1), "server": ("bench", 80),
    }  # fmt: skip
    sizes: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        sizes.append(len(message.get("body", b"")))

    await app(scope, receive, send)
    return sum(sizes)


async def _fill(world: World, owner: UUID, size: int) -> None:
    """As a sync stores calls: some callers call four times, sixty are called Zora."""
    async with world.db.connection() as connection:
        await connection.execute(
            """
            insert into call_logs (owner_user_id, call_id, direction, from_number, started_at, duration_sec, score,
                                   caller_type, call_sequence, meta)
            select $1, 'b' || n, 'inbound', '+1' || 5550000000 + case when n % 5 = 0 then n / 20 * 20 else n end,
                   now() - n * interval '7 min', n % 600, 0,
                   case when n % 5 = 0 and n % 20 < 15 then 'repeat' else 'new' end,
                   case when n % 5 = 0 then 4 - n % 20 / 5 else 1 end,
                   jsonb_build_object('caller_name',
                       case when n % ($2 / 60) = 0 then 'Zora Quill ' else 'Caller ' end || n,
                       'source', 'Google Ads',
                       'source_key', 'google_ads', 'category', (array['warm','spam','neutral','very_good'])[n % 4 + 1],
                       'classification', 'warm', 'classification_summary', 'Asks about service number ' || n % 977,
                       'region', 'Austin, TX, US', 'activity_type', 'call', 'direction', 'inbound',
                       'assets', '[]'::jsonb, 'is_voicemail', false)
                   || case when n % 10 < 6 then jsonb_build_object('transcript', $3 || n) else '{}' end
            from generate_series(0, $2 - 1) n
            """,
            owner, size, WORDS, timeout=300,
        )  # fmt: skip
        await connection.execute("vacuum analyze call_logs", timeout=300)


async def main(what: str = "") -> None:
    async with the_world() as world:
        if what in ("", "sync"):
            await bench_sync(world)
        if what in ("", "list"):
            await bench_list(world)


if __name__ == "__main__":
    asyncio.run(main("".join(sys.argv[1:2])))
