"""Ends what the local cloud started when the local cloud is gone, however it went.

A small process of its own session. The supervisor holds the other end of its standard input: the end of that input
without a goodbye means the supervisor has died, even by SIGKILL, on any operating system. Everything started under the
supervisor carries its mark in the environment, so nothing needs to be registered and no stranger can be hit.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

MARK = "ANCHOR_LOCAL_CLOUD"
PATIENCE_S = 5.0
GOODBYE = b"."


class Guardian:
    """Watches this process from ``start`` to ``stop``, and marks the environment that its children inherit."""

    def __init__(self) -> None:
        self.mark = secrets.token_hex(16)
        self._outer: str | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._outer = os.environ.get(MARK)
        unmarked = {name: value for name, value in os.environ.items() if name != MARK}
        self._process = subprocess.Popen(
            [sys.executable, __file__, self.mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=unmarked,
            start_new_session=True,
        )
        os.environ[MARK] = self.mark

    def stop(self) -> None:
        """Everything was stopped in order: let the guardian go without a sweep."""
        process, self._process = self._process, None
        if process is None:
            return
        if self._outer is None:
            os.environ.pop(MARK, None)
        else:
            os.environ[MARK] = self._outer
        with contextlib.suppress(BrokenPipeError):  # it is gone already
            process.communicate(GOODBYE)


def sweep(mark: str) -> None:
    """End every process with *mark* in its environment, and their children: politely, then by force."""
    import psutil

    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found |= {one.pid: one for one in (process, *process.children(recursive=True))}
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue  # not ours, or gone already
    for how in ("terminate", "kill"):
        for process in found.values():
            try:
                getattr(process, how)()
            except psutil.NoSuchProcess:
                continue
        deadline = time.monotonic() + PATIENCE_S
        while found and time.monotonic() < deadline:
            found = {pid: process for pid, process in found.items() if still_runs(process)}
            time.sleep(0.02)


def still_runs(process: psutil.Process) -> bool:
    """Whether a process still does anything; one that only waits for its parent's notice does not."""
    import psutil

    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__" and sys.stdin.buffer.read() != GOODBYE:
    sweep(sys.argv[1])
