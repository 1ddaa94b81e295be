"""The local scheduler calls as Cloud Scheduler does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from emulators.scheduler import Scheduler, next_run
from emulators.serving import AsgiServer, free_port
from shared.manifest import by_trigger, schedule

EVERY_MINUTE = schedule("jobs_tick", cron="* * * * *")
DAILY = schedule("jobs_daily", cron="30 7 * * *")


class Called:
    """Records what arrives; the second request and the later ones set ``twice``."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        self.twice = asyncio.Event()
        self.server = AsgiServer(self._app)

    async def _app(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        if len(self.headers) == 2:
            self.twice.set()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def test_planned_runs_carry_their_planned_time() -> None:
    """Each minute is called once with its own schedule time, also when the timer wakes a little early."""
    called = Called()
    await called.server.start()
    clock = [datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)]

    class Hurried(Scheduler):
        async def _sleep(self, seconds: float) -> None:
            clock[0] += timedelta(seconds=seconds - 0.001)
            await asyncio.sleep(0.02)

    scheduler = Hurried([EVERY_MINUTE], lambda name: f"{called.server.url}/{name}", invoker="i@x", now=lambda: clock[0])
    await scheduler.start()
    await asyncio.wait_for(called.twice.wait(), 5)
    await scheduler.stop()
    await called.server.stop()

    times = sorted(headers["x-cloudscheduler-scheduletime"] for headers in called.headers)
    assert times[:2] == ["2026-01-01T12:01:00Z", "2026-01-01T12:02:00Z"] and len(set(times)) == len(times)
    first = called.headers[0]
    assert first["user-agent"] == "Google-Cloud-Scheduler" and first["x-cloudscheduler-jobname"] == "jobs_tick"
    assert first["authorization"].startswith("Bearer ey")


async def test_forced_runs_never_look_alike() -> None:
    """Two forced runs carry different times, and the last answer is remembered."""
    called = Called()
    await called.server.start()
    scheduler = Scheduler([DAILY], lambda name: f"{called.server.url}/{name}", invoker="i@x", planned=False)
    await scheduler.start()
    runs = [await scheduler.run("jobs_daily") for _ in range(2)]
    shown = scheduler.as_json()
    await scheduler.stop()
    await called.server.stop()
    assert runs[0].at != runs[1].at and runs[1].status == 204
    assert shown[0]["last"]["status"] == 204 and shown[0]["next"].endswith("T07:30:00Z")  # type: ignore[index, attr-defined]


async def test_nobody_there_is_remembered_as_zero() -> None:
    """A function that is down does not stop the scheduler."""
    scheduler = Scheduler([DAILY], lambda name: f"http://127.0.0.1:{free_port()}/{name}", invoker="i@x", planned=False)
    await scheduler.start()
    assert (await scheduler.run("jobs_daily")).status == 0
    await scheduler.stop()


def test_every_cron_of_the_manifest_can_be_read() -> None:
    """A wrong expression would stop the start of the local cloud."""
    now = datetime.now(UTC)
    assert all(now < next_run(function, now) < now + timedelta(days=400) for function in by_trigger("schedule"))
