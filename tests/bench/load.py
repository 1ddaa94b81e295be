"""Sends requests as fast as they are answered, over kept connections, and says how fast that was."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

TURNS = 5


@dataclass(frozen=True, slots=True)
class Rate:
    """What one run measured. Times in milliseconds."""

    per_second: float
    p50_ms: float
    p95_ms: float
    statuses: dict[int, int]

    def of(self, floor: Rate) -> str:
        return f"{100 * self.per_second / floor.per_second:.0f} %"


def request(method: str, path: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """One request's bytes."""
    told = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


async def run(port: int, make: Callable[[int], bytes], *, seconds: float = 4, connections: int = 32) -> Rate:
    """Send ``make(0), make(1), …`` over *connections* for *seconds*; a second of warming up does not count."""
    await _phase(port, make, 1.0, connections, start=0)
    times, statuses, took = await _phase(port, make, seconds, connections, start=1_000_000)
    ordered = sorted(times)
    return Rate(
        per_second=len(times) / took,
        p50_ms=1000 * ordered[len(ordered) // 2],
        p95_ms=1000 * ordered[int(len(ordered) * 0.95)],
        statuses=statuses,
    )


async def weight(port: int, asked: bytes) -> int:
    """How many bytes the body of the answer has."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(asked)
    _, length = await _answer(reader)
    writer.close()
    await writer.wait_closed()
    return length


async def compare(
    floor_name: str, floor: Callable[[], Awaitable[float]], name: str, measured: Callable[[], Awaitable[float]]
) -> None:
    """Measure both, as rates, in turns, so that whatever else the machine does meets both; print their medians, and the
    median of the shares."""
    turns = [(await floor(), await measured()) for _ in range(TURNS)]
    least, most = statistics.median(turn[0] for turn in turns), statistics.median(turn[1] for turn in turns)
    share = statistics.median(turn[1] / turn[0] for turn in turns)
    print(f"  {floor_name:<48} {least:8.1f}/s")
    print(f"  {name:<48} {most:8.1f}/s  {100 * share:.0f} % of it", flush=True)


async def _phase(
    port: int, make: Callable[[int], bytes], seconds: float, connections: int, *, start: int
) -> tuple[list[float], dict[int, int], float]:
    times: list[float] = []
    statuses: dict[int, int] = {}
    began = time.perf_counter()
    end = began + seconds

    async def one(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        number = first
        while time.perf_counter() < end:
            sent = time.perf_counter()
            writer.write(make(number))
            status, _ = await _answer(reader)
            times.append(time.perf_counter() - sent)
            statuses[status] = statuses.get(status, 0) + 1
            number += connections
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one(start + index) for index in range(connections)))
    return times, statuses, time.perf_counter() - began


async def _answer(reader: asyncio.StreamReader) -> tuple[int, int]:
    """The status, and how many bytes the body has."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
    await reader.readexactly(length)
    return status, length
