"""The embedded server: it starts at once, forgets nothing, and never outlives the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from emulators import postgres as module
from emulators.postgres import EmbeddedPostgres, GivenPostgres, PostgresFailed, component, create_database, server


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


async def test_it_keeps_its_data_and_stops(tmp_path: Path) -> None:
    """What was written is there after a stop and a start; stop leaves no process; both may be called again."""
    database = EmbeddedPostgres(tmp_path / "data", durable=False)
    await database.stop()
    await database.start()
    assert database.status.ready and database.status.version.startswith("18")
    assert database.env["DATABASE_URL"].startswith("postgresql://postgres@127.0.0.1:")
    with psycopg.connect(database.env["DATABASE_URL"]) as connection:
        connection.execute("create table kept as select 1 as n")
    first = database.status.pid
    await database.stop()
    await database.stop()
    assert first is not None and not alive(first) and not database.status.ready

    await database.start()
    try:
        with psycopg.connect(database.env["DATABASE_URL"]) as connection:
            assert connection.execute("select n from kept").fetchall() == [(1,)]
        with pytest.raises(PostgresFailed, match="in use"):
            EmbeddedPostgres(tmp_path / "data").open()
    finally:
        await database.stop()


CHILD = """
import sys, time
from pathlib import Path
from emulators import postgres
postgres.TIED_BY_KERNEL = sys.argv[2] == "kernel"
server = postgres.EmbeddedPostgres(Path(sys.argv[1]))
server.open()
print(server.status.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["kernel", "watcher"])
def test_it_dies_with_its_parent(tmp_path: Path, how: str) -> None:
    """Even when the parent is killed outright, with the kernel's help or, where there is none, without."""
    command = [sys.executable, "-c", CHILD, str(tmp_path / "data"), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    died = gone_within(pid, 10)
    if not died:
        os.kill(pid, signal.SIGKILL)
    assert died


def test_it_recovers_from_being_killed(tmp_path: Path) -> None:
    """A server killed outright leaves its lock behind; the next start copes, and what was committed is there."""
    killed = EmbeddedPostgres(tmp_path / "data")
    killed.open()
    with psycopg.connect(killed.env["DATABASE_URL"]) as connection:
        connection.execute("create table kept as select 1 as n")
    assert killed.status.pid is not None
    os.kill(killed.status.pid, signal.SIGKILL)
    again = EmbeddedPostgres(tmp_path / "data")
    try:
        again.open()
        with psycopg.connect(again.env["DATABASE_URL"]) as connection:
            assert connection.execute("select n from kept").fetchall() == [(1,)]
    finally:
        again.close()
        killed.close()


def test_a_stale_lock_naming_somebody_else_is_removed(tmp_path: Path) -> None:
    """After a reboot the lock's process id may belong to anybody."""
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}\n")
    module._clear_stale_lock(tmp_path)
    assert not (tmp_path / "postmaster.pid").exists()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """A cluster is never made over other files."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "letter.txt").write_text("dear")
    with pytest.raises(OSError, match="not empty"):
        EmbeddedPostgres(tmp_path / "data").open()
    assert (tmp_path / "data" / "letter.txt").read_text() == "dear"


async def test_a_given_server_is_used_instead(postgres: str, tmp_path: Path) -> None:
    """DATABASE_URL wins, for the local cloud and for tests; nothing is started."""
    given = component(tmp_path, env={"DATABASE_URL": postgres})
    assert isinstance(given, GivenPostgres)
    await given.start()
    assert given.status.ready and given.env == {"DATABASE_URL": postgres}
    await given.stop()


def test_tests_use_a_given_server(postgres: str, tmp_path: Path) -> None:
    """The same for tests: no second server where there is one."""
    with server(tmp_path, env={"DATABASE_URL": postgres}) as url:
        assert url == postgres
    assert list(tmp_path.iterdir()) == []


def test_a_database_is_copied_from_a_template(postgres: str) -> None:
    """A copy has the template's rows and is a database of its own; making it again replaces it, unless it is kept."""
    template = create_database(postgres, "anchor_template_test")
    with psycopg.connect(template) as connection:
        connection.execute("create table n as select 1 as n")
    copy = create_database(postgres, "anchor_copy_test", "anchor_template_test")
    with psycopg.connect(copy) as connection:
        connection.execute("update n set n = 2")
    create_database(postgres, "anchor_copy_test", keep=True)
    with psycopg.connect(copy) as connection:
        assert connection.execute("select n from n").fetchall() == [(2,)]
    create_database(postgres, "anchor_copy_test", "anchor_template_test")
    with psycopg.connect(copy) as connection:
        assert connection.execute("select n from n").fetchall() == [(1,)]
    for name in ("anchor_copy_test", "anchor_template_test"):
        module.drop_database(postgres, name)
