"""The demo's acts: each drives the running local cloud from outside, says what it does, and fails when it did not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


class DemoFailed(Exception):
    """A step did not do what it should; the message says which and what was seen."""


@dataclass
class Stage:
    """Prints steps with their times."""

    steps: int = 0
    began: float = field(default_factory=time.monotonic)

    @asynccontextmanager
    async def step(self, what: str) -> AsyncIterator[list[str]]:
        """Run one step; what it appends to the yielded list is said beside its time."""
        self.steps += 1
        notes: list[str] = []
        started = time.monotonic()
        yield notes
        took = time.monotonic() - started
        note = f"  {'; '.join(notes)}" if notes else ""
        print(f"  {self.steps:>2}. {what:<62} {took:6.2f} s{note}", flush=True)


def expect(true: bool, otherwise: str) -> None:
    """Fail the demo with *otherwise* unless *true*."""
    if not true:
        raise DemoFailed(otherwise)


async def until(what: str, ready: Callable[[], Awaitable[bool]], *, within_s: float = 60) -> None:
    """Wait until *ready* says so; DemoFailed names *what* was waited for in vain."""
    deadline = time.monotonic() + within_s
    while not await ready():
        if time.monotonic() > deadline:
            raise DemoFailed(f"waited {within_s:.0f} s in vain for: {what}")
        await asyncio.sleep(0.1)


class Dashboard:
    """What a signed-in person's dashboard asks of one part of the API; ``ask`` takes what must be answered."""

    def __init__(self, http: httpx.AsyncClient, token: str, part: str) -> None:
        self._http, self._headers, self._part = http, {"Authorization": f"Bearer {token}"}, part

    async def fetch(self, address: str) -> httpx.Response:
        """A file, at the address that an answer told."""
        return await self._http.get(address, headers=self._headers, timeout=60)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self._http.request(method, f"{self._part}{path}", headers=self._headers, timeout=60, **options)

    async def ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = await self.send(method, path, **options)
        expect(answer.is_success, f"{method} {path} answered {answer.status_code}: {answer.text[:200]}")
        told: dict[str, Any] = answer.json()
        return told
