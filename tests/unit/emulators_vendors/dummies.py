"""A local cloud without its heavy parts, for tests of the supervisor; as a script it runs one on the given folder."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from emulators import parts
from emulators.cloud import LocalCloud, Options
from emulators.component import Status
from emulators.parts import Parts, Setup
from shared.manifest import INTERNAL, PUBLIC, Function, http

FUNCTIONS = (
    http("jobs_check_readiness", "GET /api/health/ready", access=PUBLIC),
    http("emails_receive_mailgun", "POST /api/webhooks/mailgun", access=PUBLIC),
    Function(name="jobs_sweep_outbox", trigger="schedule", access=INTERNAL, cron="* * * * *"),
)
COMMAND = (sys.executable, "-m", "tests.unit.emulators_vendors.fake_functions_host")


class Sleeper:
    """A part that runs as a child process, which itself starts a child."""

    def __init__(self) -> None:
        self.status = Status("sleeper", "official")
        self.env = {"SLEEPER_HOST": "here"}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            "sh", "-c", "sleep 600 & sleep 600", start_new_session=True
        )
        self.status.pid, self.status.ready = self._process.pid, True

    async def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, 15)
            await self._process.wait()
            self._process = None


class Broken:
    """A part that cannot start."""

    def __init__(self) -> None:
        self.status = Status("broken", "stand-in")
        self.env: dict[str, str] = {}

    async def start(self) -> None:
        raise RuntimeError("out of luck")

    async def stop(self) -> None: ...


def build(setup: Setup) -> Parts:
    return Parts(services=[*parts.vendors(setup), Sleeper()])


def options(state_dir: Path, **more: Any) -> Options:
    given = {
        "port": 0,
        "functions": FUNCTIONS,
        "build": build,
        "functions_command": COMMAND,
        "schedules": False,
        **more,
    }
    return Options(state_dir, **given)


async def _cloud(state_dir: str) -> None:
    async with LocalCloud(options(Path(state_dir))) as cloud:
        pids = [part.status.pid for part in cloud.parts.all()] + [
            cloud.functions.status.pid if cloud.functions else None
        ]
        print(json.dumps({"pids": [pid for pid in pids if pid], "url": cloud.base_url}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_cloud(sys.argv[1]))
