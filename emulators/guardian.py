"""Ends what the local cloud started when the local cloud is gone, however it went.

A small process of its own session. The supervisor holds the other end of its standard input and never writes: the end
of that input means the supervisor has ended, even by SIGKILL, on any operating system. Everything started under the
supervisor carries its mark in the environment, so nothing needs to be registered and no stranger can be hit.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys

MARK = "ANCHOR_LOCAL_CLOUD"
PATIENCE_S = 5.0


class Guardian:
    """Watches this process from ``start`` to ``stop``; ``mark`` must be in the environment of every child."""

    def __init__(self) -> None:
        self.mark = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Mark this process's environment, which its children inherit, and start watching."""
        environment = dict(os.environ)
        os.environ[MARK] = self.mark
        command = [sys.executable, "-m", "emulators.guardian", self.mark]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment, start_new_session=True
        )

    def stop(self) -> None:
        """End whatever is still there, and the guardian itself."""
        if self._process is None:
            return
        os.environ.pop(MARK, None)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._process = None


def sweep(mark: str, spare: int | None = None) -> None:
    """End every process with *mark* in its environment, and their children: politely, then by force."""
    import psutil

    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            if process.pid != spare and process.environ().get(MARK) == mark:
                found |= {one.pid: one for one in (process, *process.children(recursive=True)) if one.pid != spare}
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue  # not ours, or gone already
    for how in ("terminate", "kill"):
        for process in found.values():
            try:
                getattr(process, how)()
            except psutil.NoSuchProcess:
                continue
        _, alive = psutil.wait_procs(list(found.values()), timeout=PATIENCE_S)
        found = {process.pid: process for process in alive}


if __name__ == "__main__":
    parent = os.getppid()
    sys.stdin.buffer.read()
    alive = os.getppid() == parent  # a clean stop: the supervisor waits for us and must not be ended
    sweep(sys.argv[1], spare=parent if alive else None)
