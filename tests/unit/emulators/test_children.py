"""Child processes are ready when we say so, and never outlive us."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from emulators.children import Child, NotReady, free_port

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


async def gone(pid: int) -> None:
    async with asyncio.timeout(5):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_output_goes_to_the_log_and_stop_ends_it(tmp_path: Path) -> None:
    """Ready when the condition holds; gone when stop returns; stopping again does no harm."""
    child = await Child.start(SLEEP, log=tmp_path / "logs" / "x.log")

    async def is_up() -> bool:
        return "up" in child.log.read_text()

    await child.wait_until(is_up, within_s=10)
    assert psutil.Process(child.pid).is_running()
    await child.stop()
    assert not psutil.pid_exists(child.pid)
    await child.stop()


async def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    """A grandchild is in the same process group."""
    code = f"import subprocess; p = subprocess.Popen({SLEEP!r}); print(p.pid, flush=True); p.wait()"
    child = await Child.start([sys.executable, "-c", code], log=tmp_path / "x.log")

    async def has_started() -> bool:
        return child.log.read_text().split()[:1] != []

    await child.wait_until(has_started, within_s=10)
    grandchild = int(child.log.read_text().split()[0])
    await child.stop()
    await gone(grandchild)


async def test_one_that_ends_early_or_never_gets_ready_is_said_so(tmp_path: Path) -> None:
    """With its status, or the time that was given, and where to read more."""

    async def never() -> bool:
        return False

    ended = await Child.start([sys.executable, "-c", "raise SystemExit(3)"], log=tmp_path / "ended.log")
    with pytest.raises(NotReady, match=r"ended with status 3, see .*ended\.log"):
        await ended.wait_until(never, within_s=10)
    slow = await Child.start(SLEEP, log=tmp_path / "slow.log")
    with pytest.raises(NotReady, match=r"not ready after 0\.1 s"):
        await slow.wait_until(never, within_s=0.1)
    await slow.stop()


async def test_one_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """stop() does not wait for ever."""
    monkeypatch.setattr("emulators.children.STOP_PATIENCE_S", 0.2)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    child = await Child.start([sys.executable, "-c", code], log=tmp_path / "x.log")

    async def is_up() -> bool:
        return "up" in child.log.read_text()

    await child.wait_until(is_up, within_s=10)
    await child.stop()
    assert child.process.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
async def test_a_child_dies_with_a_killed_parent(tmp_path: Path) -> None:
    """Even SIGKILL to us leaves nothing behind."""
    code = f"""
import asyncio, pathlib
from emulators.children import Child
async def main():
    child = await Child.start({SLEEP!r}, log=pathlib.Path({str(tmp_path / "child.log")!r}))
    while "up" not in child.log.read_text():
        await asyncio.sleep(0.02)
    print(child.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}
    )
    assert parent.stdout is not None
    child = int(await asyncio.wait_for(parent.stdout.readline(), 10))
    assert psutil.pid_exists(child)
    parent.kill()
    await parent.wait()
    await gone(child)


def test_free_ports_differ() -> None:
    """Each call gives a port that can be bound."""
    assert len({free_port() for _ in range(3)}) > 1
