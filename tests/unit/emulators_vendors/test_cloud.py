"""The supervisor starts, keeps and ends everything, whatever happens to it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from emulators.cloud import AlreadyRunning, CloudFailed, LocalCloud, open_lock, reset
from emulators.guardian import MARK, still_runs
from emulators.local_secrets import load, read_env_file
from emulators.parts import Parts
from emulators.serving import LOOPBACK, listen
from tests.unit.emulators_vendors import dummies

ROOT = Path(__file__).parents[3]


@pytest_asyncio.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[LocalCloud]:
    async with LocalCloud(dummies.options(tmp_path)) as running:
        yield running


async def test_the_functions_get_what_terraform_would_set(cloud: LocalCloud) -> None:
    """Addresses of every part and the mounted secrets reach the functions; the others stay with Secret Manager."""
    env = (await cloud.http.get("/api/health/ready")).json()["env"]
    assert env["APP_BASE_URL"] == cloud.base_url
    assert env["FUNCTION_URL_TEMPLATE"].endswith("/_functions/{name}")
    assert env["CTM_API_BASE"].startswith("http://127.0.0.1:") and env["SLEEPER_HOST"] == "here"
    assert json.loads(env["ENCRYPTION_KEYS"])["current"] == "k1" and env["JWT_SECRET"] == cloud.secrets["JWT_SECRET"]
    assert "MONDAY_API_KEY" not in env


async def test_a_killed_functions_host_comes_back(cloud: LocalCloud) -> None:
    """The host is started again on the same port, and the gateway finds it."""
    before = (await cloud.http.get("/api/health/ready")).json()["pid"]
    await cloud.kill_functions()
    await cloud.functions_ready()
    assert (await cloud.http.get("/api/health/ready")).json()["pid"] != before


async def test_the_control_api_is_on_the_same_port(cloud: LocalCloud) -> None:
    """Status names every part; a forced schedule reaches its function with Cloud Scheduler's headers."""
    status = (await cloud.control.get("/status")).json()
    names = {one["name"] for one in status["components"]}
    assert status["ready"] and {"gateway", "functions", "scheduler", "sleeper", "mailgun", "ctm"} <= names
    run = (await cloud.control.post("/schedules/jobs_sweep_outbox/run")).json()
    assert run["status"] == 200 and run["schedule_time"].endswith("Z")


async def test_a_second_cloud_on_the_same_state_is_refused(cloud: LocalCloud) -> None:
    """The message says who runs there and what to do."""
    second = LocalCloud(dummies.options(cloud.options.state_dir))
    with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}, http://localhost:"):
        async with second:
            raise AssertionError("two clouds on one folder")
    with pytest.raises(AlreadyRunning):
        reset(cloud.options.state_dir)
    assert (await cloud.http.get("/api/health/ready")).is_success


async def test_a_taken_port_is_replaced_and_said(tmp_path: Path) -> None:
    """Another program's port stays its own."""
    taken = listen(LOOPBACK, 0)
    port = taken.getsockname()[1]
    async with LocalCloud(dummies.options(tmp_path, port=port)) as cloud:
        assert cloud.base_url != f"http://localhost:{port}"
        assert cloud.progress.lines[0] == f"Port {port} is taken by another program; taking a free one."
        assert (await cloud.http.get("/api/health/ready")).is_success
    taken.close()


async def test_a_part_that_does_not_start_is_named_and_the_others_end(tmp_path: Path) -> None:
    """No half of a cloud stays behind."""
    sleeper = dummies.Sleeper()
    options = dummies.options(tmp_path, build=lambda _setup: Parts(services=[sleeper, dummies.Broken()]))
    with pytest.raises(CloudFailed, match="broken did not start: out of luck"):
        async with LocalCloud(options):
            raise AssertionError("started")
    assert not psutil.pid_exists(sleeper.status.pid or 0)
    lock = open_lock(tmp_path)
    assert lock is not None
    lock.close()


async def test_functions_that_fail_show_their_log(tmp_path: Path) -> None:
    """What the host wrote before it ended is in the message."""
    command = (sys.executable, "-c", "import sys; print('cannot import main', file=sys.stderr); sys.exit(3)")
    with pytest.raises(CloudFailed, match=r"(?s)status 3.*cannot import main"):
        async with LocalCloud(dummies.options(tmp_path, functions_command=command)):
            raise AssertionError("started")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_no_process_is_left_when_the_supervisor_dies(tmp_path: Path, number: int) -> None:
    """Even SIGKILL leaves neither a child nor a child's child."""
    command = [sys.executable, "-m", "tests.unit.emulators_vendors.dummies", str(tmp_path)]
    supervisor = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        started = await asyncio.wait_for(_started(supervisor), 20)
        family = psutil.Process(supervisor.pid).children(recursive=True)
        assert set(started["pids"]) <= {one.pid for one in family} and len(family) >= 5  # guardian and grandchildren
    finally:
        supervisor.send_signal(number)
        await supervisor.wait()

    async with asyncio.timeout(10):
        while any(still_runs(process) for process in family):  # noqa: ASYNC110  others' ends are no event here
            await asyncio.sleep(0.02)


async def _started(supervisor: asyncio.subprocess.Process) -> dict[str, Any]:
    """What a supervisor says once it is ready, after its progress lines."""
    assert supervisor.stdout is not None
    while not (line := await supervisor.stdout.readline()).startswith(b"{"):
        assert line, "the supervisor ended"
    return dict(json.loads(line))


async def test_stopping_leaves_the_environment_as_it_was(tmp_path: Path) -> None:
    """The mark of a cloud ends with it."""
    before = os.environ.get(MARK)
    async with LocalCloud(dummies.options(tmp_path)):
        assert os.environ[MARK] != before
    assert os.environ.get(MARK) == before


async def test_the_functions_keep_their_port(tmp_path: Path) -> None:
    """Queued tasks name the address they go to, so a restart keeps it."""
    ports = []
    for _ in range(2):
        async with LocalCloud(dummies.options(tmp_path)) as cloud:
            ports.append(cloud.functions.status.port if cloud.functions else None)
    assert ports[0] == ports[1]


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    """The second start reads the first one's secrets; given ones win and are not written."""
    first = load(tmp_path, {})
    assert load(tmp_path, {}) == first
    assert load(tmp_path, {"JWT_SECRET": "mine"})["JWT_SECRET"] == "mine"
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0
    assert "mine" not in (tmp_path / "secrets.json").read_text()
    assert len(first["JWT_SECRET"]) >= 32


def test_an_env_file_is_read(tmp_path: Path) -> None:
    """Comments, blank lines, export and quotes are understood; a missing file is empty."""
    file = tmp_path / ".env"
    assert read_env_file(file) == {}
    file.write_text("# no\n\nA=1\nexport B='two words'\nC=\"x=y\"\nnonsense\n")
    assert read_env_file(file) == {"A": "1", "B": "two words", "C": "x=y"}


def test_reset_forgets_only_a_clouds_state(tmp_path: Path) -> None:
    """A folder that is not ours stays."""
    strange = tmp_path / "photos"
    strange.mkdir()
    with pytest.raises(CloudFailed, match="not the state"):
        reset(strange)
    ours = tmp_path / "state"
    ours.mkdir()
    (ours / "lock").write_text("")
    reset(ours)
    assert not ours.exists() and strange.exists()
    assert "nothing to forget" in reset(ours)
