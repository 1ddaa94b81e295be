"""Keeps the functions host running as a child process: starts it, waits until it is ready, starts it again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from emulators.component import Status
from emulators.serving import LOOPBACK
from shared.config import SECRETS

COMMAND = (sys.executable, "-u", "-m", "emulators.functions_host")
PROJECT = Path(__file__).parent.parent
READY_WITHIN_S = 30.0
STOP_WITHIN_S = 5.0
SOON_S = 5.0  # a host that ends sooner than this is given a rest before the next start
LONGEST_REST_S = 5.0


def _inherited() -> dict[str, str]:
    """The supervisor's environment without secrets: whatever lies about in a shell must not reach the functions."""
    return {name: value for name, value in os.environ.items() if name not in SECRETS}


class FunctionsFailed(Exception):
    """The host ended or stayed silent; the message ends with its log's last lines."""


class FunctionsChild:
    """``command`` must listen on the port in its environment's PORT and print the line ``ready`` when it accepts."""

    def __init__(self, port: int, log: Path, *, command: tuple[str, ...] = COMMAND):
        self.status = Status("functions", "ours", port=port)
        self.env: dict[str, str] = {}
        self.restarts = 0
        self._log, self._command = log, command
        self._child_env: Mapping[str, str] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.status.port}"

    def configure(self, env: Mapping[str, str]) -> None:
        """The environment of the next start; only what a deployed function would have, and what Python needs."""
        self._child_env = {**env, "PORT": str(self.status.port), "PYTHONUNBUFFERED": "1"}

    async def start(self) -> None:
        """Raises FunctionsFailed when the host ends before it is ready."""
        await self._launch()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        process, self._process = self._process, None
        self._away()
        if process is None or process.returncode is not None:
            return
        _signal(process, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
        except TimeoutError:
            _signal(process, signal.SIGKILL)
            await process.wait()

    async def kill(self) -> None:
        """SIGKILL, as when an instance dies; return when it is gone. It is started again at once."""
        process = self._process
        if process is None:
            return
        self._away()
        _signal(process, signal.SIGKILL)
        await process.wait()

    async def ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Wait until the host accepts requests; raises TimeoutError."""
        await asyncio.wait_for(self._ready.wait(), within_s)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        rest = 0.0
        while True:
            process, started = self._process, loop.time()
            assert process is not None
            await process.wait()
            self._away()
            rest = 0.0 if loop.time() - started > SOON_S else min(rest * 2 or 0.1, LONGEST_REST_S)
            await asyncio.sleep(rest)
            self.restarts += 1
            with suppress(FunctionsFailed):  # its log says why; the next round tries again
                await self._launch()

    async def _launch(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**_inherited(), **self._child_env},
                cwd=PROJECT,
                start_new_session=True,
            )
        try:
            await asyncio.wait_for(self._until_ready(self._process), READY_WITHIN_S)
        except TimeoutError as error:
            _signal(self._process, signal.SIGKILL)
            raise FunctionsFailed(f"not ready after {READY_WITHIN_S:g} s\n{self.tail()}") from error
        self.status.pid, self.status.ready = self._process.pid, True
        self._ready.set()

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if line.strip() == b"ready":
                self._reader = asyncio.create_task(self._copy(process.stdout))
                return
            self._write(line)
        await process.wait()
        raise FunctionsFailed(f"ended with status {process.returncode}\n{self.tail()}")

    async def _copy(self, lines: asyncio.StreamReader) -> None:
        while line := await lines.readline():
            self._write(line)

    def _write(self, line: bytes) -> None:
        with self._log.open("ab") as log:
            log.write(line)

    def tail(self, lines: int = 20) -> str:
        """The last lines of the log."""
        if not self._log.exists():
            return ""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def _away(self) -> None:
        self.status.ready, self.status.pid = False, None
        self._ready.clear()


def _signal(process: asyncio.subprocess.Process, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
