"""Plays Cloud Scheduler: calls the manifest's schedule functions at their times (UTC), or at once when told to.

A run is one POST with Cloud Scheduler's headers. A forced run carries the moment it was asked for, to the microsecond,
so that it is never taken for a planned one (docs.cloud.google.com/scheduler/docs/configuring/deduplicate-job-requests).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from cronsim import CronSim

from emulators.component import Status
from emulators.identity import identity_token
from shared.manifest import Function


@dataclass(slots=True)
class Run:
    """The last run of a schedule. ``status`` is its HTTP answer, 0 when nobody answered, None while it runs."""

    at: str
    forced: bool
    status: int | None = None
    seconds: float = 0.0


class Scheduler:
    """``url_of`` says where a function is called; ``invoker`` is the service account in its token.

    ``planned=False`` runs nothing by itself, for tests that tell every run.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        url_of: Callable[[str], str],
        *,
        invoker: str,
        planned: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        self.status = Status("scheduler", "stand-in")
        self.env: dict[str, str] = {}
        self.functions = {function.name: function for function in functions if function.trigger == "schedule"}
        self.last: dict[str, Run] = {}
        self._url_of, self._invoker, self._now = url_of, invoker, now
        self._planned = planned
        self._tasks: set[asyncio.Task[object]] = set()
        self._http: httpx.AsyncClient | None = None

    async def start(self) -> None:
        self._http = httpx.AsyncClient(trust_env=False)
        for function in self.functions.values() if self._planned else ():
            self._keep(asyncio.create_task(self._follow(function)))
        self.status.ready = True

    async def stop(self) -> None:
        self.status.ready = False
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def run(self, name: str) -> Run:
        """Call the schedule *name* now and wait for it. Raises KeyError for an unknown one."""
        return await self._call(self.functions[name], self._now(), forced=True)

    def as_json(self) -> list[dict[str, object]]:
        """Every schedule with its next time and its last run."""
        return [
            {
                "name": function.name,
                "cron": function.cron,
                "next": rfc3339(next_run(function, self._now())),
                "last": None
                if (run := self.last.get(function.name)) is None
                else {"at": run.at, "forced": run.forced, "status": run.status, "seconds": round(run.seconds, 3)},
            }
            for function in self.functions.values()
        ]

    async def _follow(self, function: Function) -> None:
        due = self._now()
        while True:
            due = next_run(function, max(due, self._now()))  # a timer may wake early, but no run is repeated
            await self._sleep((due - self._now()).total_seconds())
            self._keep(asyncio.create_task(self._call(function, due, forced=False)))

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _call(self, function: Function, moment: datetime, *, forced: bool) -> Run:
        assert self._http is not None
        run = self.last[function.name] = Run(rfc3339(moment), forced)
        url = self._url_of(function.name)
        headers = {
            "User-Agent": "Google-Cloud-Scheduler",
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": function.name,
            "X-CloudScheduler-ScheduleTime": run.at,
            "Authorization": f"Bearer {identity_token(self._invoker, url)}",
        }
        started = asyncio.get_running_loop().time()
        try:
            answer = await self._http.post(url, json={}, headers=headers, timeout=function.timeout_s + 5)
            run.status = answer.status_code
        except httpx.TransportError:
            run.status = 0
        run.seconds = asyncio.get_running_loop().time() - started
        return run

    def _keep(self, task: asyncio.Task[object]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def next_run(function: Function, after: datetime) -> datetime:
    """The first moment after *after* that the function's cron expression names."""
    if function.cron is None:
        raise ValueError(f"{function.name} has no cron expression")
    return next(CronSim(function.cron, after))


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
