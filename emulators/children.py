"""Child processes that end when we end, even when we are killed and cannot end them ourselves.

Run as a script it is the launcher between us and the child: it becomes another user if asked to, on Linux asks the
kernel for a signal at its parent's death, a wish that survives ``exec``, and becomes the command. A launcher rather
than ``preexec_fn`` or ``user``: both make Python fork, and gRPC's handlers of forks can hang the child before it
becomes anything. Elsewhere than on Linux a child outlives a parent that was killed with SIGKILL; any other end of ours
goes through ``Child.stop``.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import pwd
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
STOP_PATIENCE_S = 3.0


class NotReady(Exception):
    """A child ended, or did not answer in time; the message names its log file."""


@dataclass(slots=True)
class Child:
    """A running command whose output goes to a log file."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @classmethod
    async def start(cls, command: list[str], *, log: Path, env: Mapping[str, str] | None = None) -> Child:
        """Start *command* in a session of its own, so that a terminal's Ctrl-C reaches us alone."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *launched(command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **env} if env else None,
                start_new_session=True,
            )
        return cls(process, log)

    async def wait_until(self, ready: Callable[[], Awaitable[bool]], *, within_s: float) -> None:
        """Poll *ready* until it is true; raise NotReady if the child ends first or time runs out."""
        try:
            async with asyncio.timeout(within_s):
                while not await ready():
                    if self.process.returncode is not None:
                        raise NotReady(f"ended with status {self.process.returncode}, see {self.log}")
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise NotReady(f"not ready after {within_s:g} s, see {self.log}") from error

    async def stop(self) -> None:
        """SIGTERM to the child and whatever it started, then SIGKILL if it does not go."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_PATIENCE_S):
                await self.process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self.process.wait()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):  # gone already
            os.killpg(self.process.pid, number)


def launched(
    command: Sequence[str | Path],
    *,
    user: pwd.struct_passwd | None = None,
    at_our_end: signal.Signals = signal.SIGTERM,
    tied: bool = True,
) -> list[str]:
    """The words that start *command* through the launcher, as *user* if given; ``tied``: it hears of our end."""
    ids = f"{user.pw_uid}:{user.pw_gid}" if user else ""
    parent = str(os.getpid()) if tied else ""
    launcher = [sys.executable, "-I", "-S", __file__, ids, parent, str(int(at_our_end))]
    return [*launcher, *map(str, command)]


def free_port() -> int:
    """A port nobody listens on now, for programs that cannot tell us which one they got."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _become(ids: str, parent: str, at_its_end: str, command: list[str]) -> None:
    if ids:
        uid, gid = map(int, ids.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if parent and sys.platform == "linux":  # after the change of user, which would undo the wish
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(at_its_end))
        if os.getppid() != int(parent):  # it died before we asked
            sys.exit("the parent is gone")
    os.execvp(command[0], command)


if __name__ == "__main__":
    _become(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
