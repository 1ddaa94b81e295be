"""The supervisor: starts the whole local cloud on this machine, keeps it running, and leaves nothing behind.

One process and one event loop hold the gateway, the control API, the vendors and our stand-ins of Google's services;
PostgreSQL, Google's own emulators and the functions host are children. State lives in one folder, used by one
supervisor at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

import httpx

from emulators import local_secrets, parts
from emulators.component import Component, Progress, Status
from emulators.control import Cloud, Control
from emulators.faults import Faults
from emulators.functions_child import FunctionsChild, FunctionsFailed
from emulators.gateway import Gateway
from emulators.guardian import Guardian
from emulators.parts import Parts, Setup
from emulators.scheduler import Scheduler
from emulators.serving import LOOPBACK, AsgiServer, free_port, is_taken
from shared.config import Settings
from shared.manifest import FUNCTIONS, Function

USUAL_PORT = 8080
READY_PATH = "/api/health/ready"
READY_WITHIN_S = 30.0


class CloudFailed(Exception):
    """The local cloud did not come up; the message is for a person."""


class AlreadyRunning(CloudFailed):
    """Another supervisor has the state folder."""


@dataclass(slots=True)
class Options:
    """How one local cloud is to be. ``port`` 0 takes a free one; a taken port is replaced by a free one and said."""

    state_dir: Path = Path(".local")
    port: int = USUAL_PORT
    stand_ins: bool = False
    durable: bool = True
    auto_events: tuple[str, ...] = ("delivered",)
    schedules: bool = True
    env: Mapping[str, str] = field(default_factory=dict)
    functions: tuple[Function, ...] = FUNCTIONS
    build: Callable[[Setup], Parts] = parts.build
    functions_command: tuple[str, ...] | None = None
    ready_path: str = READY_PATH


class LocalCloud:
    """``async with LocalCloud(Options(…)) as cloud:`` is a running cloud, gone when the block ends.

    ``base_url`` is the public address, ``http`` a client of it, ``control`` a client of the control API.
    """

    def __init__(self, options: Options | None = None, *, progress: Progress | None = None):
        self.options = options or Options()
        self.progress = progress or Progress(interactive=False)
        self.faults = Faults()
        self.base_url = ""
        self.parts = Parts()
        self.scheduler: Scheduler | None = None
        self.functions: FunctionsChild | None = None
        self.secrets: dict[str, str] = {}
        self._lock: IO[str] | None = None
        self._guardian = Guardian()
        self._push_key = secrets.token_urlsafe(24)
        self._gateway: Gateway | None = None
        self._front: AsgiServer | None = None
        self._clients: list[httpx.AsyncClient] = []

    @property
    def database_url(self) -> str:
        return self.parts.database.env.get("DATABASE_URL", "") if self.parts.database else ""

    @property
    def http(self) -> httpx.AsyncClient:
        return self._clients[0]

    @property
    def control(self) -> httpx.AsyncClient:
        return self._clients[1]

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Return when the functions answer that they are ready. Raises CloudFailed; then call ``stop``."""
        options = self.options
        self._take_lock()
        self._guardian.start()
        overrides = {**local_secrets.read_env_file(Path(".env")), **options.env}
        self.secrets = local_secrets.load(options.state_dir, overrides)
        state = Cloud(self.faults, options.functions)
        await self._open_front(state)
        assert self.functions is not None
        settings = Settings.from_env(overrides)
        setup = Setup(
            options.state_dir.absolute(),
            self.faults,
            self.secrets,
            self.base_url,
            functions_url=self.functions.url,
            push_key=self._push_key,
            project=settings.gcp_project_id,
            uploads_bucket=settings.uploads_bucket,
            stand_ins=options.stand_ins,
            durable=options.durable,
            auto_events=options.auto_events,
        )
        self.parts = options.build(setup)
        await self._start_parts(state)
        await self._start_functions(state, overrides)
        await self._start_scheduler(state)
        await self._until_ready()

    async def stop(self) -> None:
        """End everything, callers before what they call. May be called at any time, also twice."""
        for client in self._clients:
            await client.aclose()
        self._clients = []
        for tier in (
            [self.scheduler],
            self.parts.deliverers,
            [self.functions],
            [self._front, self._gateway],
            self.parts.services,
            [self.parts.database],
        ):
            await _stop_all(part for part in tier if part is not None)
        self.scheduler = self.functions = self._front = self._gateway = None
        self.parts = Parts()
        await asyncio.to_thread(self._guardian.stop)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def kill_functions(self) -> None:
        """Kill the functions host as a crash would (SIGKILL); it is started again, see ``functions_ready``."""
        assert self.functions is not None
        await self.functions.kill()

    async def functions_ready(self) -> None:
        """Wait until the functions host accepts requests again."""
        assert self.functions is not None
        await self.functions.ready()

    # -- steps --------------------------------------------------------------------------------------------------------

    def _take_lock(self) -> None:
        folder = self.options.state_dir
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = open_lock(folder)
        if self._lock is None:
            running = (folder / "lock").read_text().strip()
            raise AlreadyRunning(
                f"A local cloud already runs on {folder} ({running}). Stop it first, or use another folder: STATE_DIR=…"
            )

    async def _open_front(self, state: Cloud) -> None:
        """Take the public port first: webhooks and mailed links must know it. Until the functions run it says 503."""
        host = self.functions = FunctionsChild(
            self._functions_port(),
            self.options.state_dir / "functions.log",
            **({"command": self.options.functions_command} if self.options.functions_command else {}),
        )
        self._gateway = Gateway(self.options.functions, lambda: host.url, Control(state))
        self._front = AsgiServer(self._gateway, port=self.options.port)
        try:
            await self._front.start()
        except OSError as error:
            if not is_taken(error):
                raise
            self.progress.say(f"Port {self.options.port} is taken by another program; taking a free one.")
            self._front = AsgiServer(self._gateway)
            await self._front.start()
        self.base_url = f"http://localhost:{self._front.port}"
        state.components.append(_Front(self._front))
        address = f"http://{LOOPBACK}:{self._front.port}"
        self._clients = [
            httpx.AsyncClient(base_url=address, trust_env=False, timeout=60),
            httpx.AsyncClient(base_url=f"{address}/_emulators", trust_env=False, timeout=60),
        ]
        assert self._lock is not None
        self._lock.seek(0)
        self._lock.truncate()
        self._lock.write(f"process {os.getpid()}, {self.base_url}\n")
        self._lock.flush()

    def _functions_port(self) -> int:
        """The same port as last time where possible: queued tasks carry the address they will be sent to."""
        file = self.options.state_dir / "ports.json"
        known = json.loads(file.read_text()).get("functions") if file.exists() else None
        port = known if known and _is_free(known) else free_port()
        file.write_text(json.dumps({"functions": port}))
        return int(port)

    async def _start_parts(self, state: Cloud) -> None:
        """Start everything at once; the database is migrated while the others still come up."""
        self._wire(state)
        waiting = {part.status.name: self._start_part(part) for part in self.parts.all()}
        async with self._live(waiting):
            results = await asyncio.gather(*waiting.values(), return_exceptions=True)
        for name, result in zip(waiting, results, strict=True):
            if isinstance(result, BaseException):
                raise CloudFailed(f"{name} did not start: {result}") from result
        state.database_url = self.database_url

    def _wire(self, state: Cloud) -> None:
        state.components += [*self.parts.all()]
        for name in ("mailgun", "ctm", "monday", "google", "cloud_tasks", "vertex", "pubsub"):
            setattr(state, name, self.parts.named(name))

    async def _start_part(self, part: Component) -> None:
        began = time.monotonic()
        await part.start()
        if part is self.parts.database:
            from shared.db.migrate import migrate

            applied = await asyncio.to_thread(migrate, self.database_url)
            part.status.note = f"{len(applied)} migrations applied" if applied else "schema is up to date"
        self._said(part.status, began)

    async def _start_functions(self, state: Cloud, overrides: Mapping[str, str]) -> None:
        assert self.functions is not None
        state.components.append(self.functions)
        self.functions.configure({**self.environment(), **overrides})
        began = time.monotonic()
        try:
            await self.functions.start()
        except FunctionsFailed as error:
            raise CloudFailed(f"The functions did not start: {error}") from error
        self._said(self.functions.status, began)

    def environment(self) -> dict[str, str]:
        """What the functions read, as Terraform would set it."""
        assert self.functions is not None
        env = {
            "ENVIRONMENT": "local",
            "APP_BASE_URL": self.base_url,
            "BEHIND_GATEWAY": "true",
            "MAILGUN_EVENTS_DELAY_S": "2",  # the stand-in's event log shows a mail at once
            "PUSH_KEY": self._push_key,
            "FUNCTION_URL_TEMPLATE": f"{self.functions.url}/_functions/{{name}}",
            **{name: self.secrets[name] for name in local_secrets.MOUNTED},
        }
        for part in self.parts.all():
            env |= part.env
        return env

    async def _start_scheduler(self, state: Cloud) -> None:
        assert self.functions is not None
        url = self.functions.url
        self.scheduler = state.scheduler = Scheduler(
            self.options.functions,
            lambda name: f"{url}/_functions/{name}",
            invoker=Settings.from_env({**self.environment(), **self.options.env}).invoker_email,
            planned=self.options.schedules,
        )
        state.components.append(self.scheduler)
        await self.scheduler.start()

    async def _until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await self.http.get(self.options.ready_path)
                if answer.is_success:
                    return
            if time.monotonic() > deadline:
                assert self.functions is not None
                raise CloudFailed(f"{self.options.ready_path} is not ready:\n{self.functions.tail()}")
            await asyncio.sleep(0.05)

    # -- what it says -------------------------------------------------------------------------------------------------

    def _said(self, status: Status, began: float) -> None:
        where = f"port {status.port}" if status.port else ""
        what = ", ".join(part for part in (status.kind, status.version, where, status.note) if part)
        self.progress.say(f"  {status.name:<15} {time.monotonic() - began:5.1f} s  {what}")

    @contextlib.asynccontextmanager
    async def _live(self, waiting: Mapping[str, Awaitable[None]]) -> AsyncIterator[None]:
        """On a terminal, one line that says what is still awaited."""
        if not self.progress.interactive:
            yield
            return
        ticking = asyncio.create_task(self._tick(list(waiting)))
        try:
            yield
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
            print("\r\x1b[2K", end="", flush=True)

    async def _tick(self, names: list[str]) -> None:
        began = time.monotonic()
        while True:
            late = [name for name in names if not (part := self.parts.named(name)) or not part.status.ready]
            print(f"\r\x1b[2K  … {time.monotonic() - began:.0f} s  {', '.join(late)}"[:110], end="", flush=True)
            await asyncio.sleep(0.2)


class _Front:
    """The gateway's line in the status; the supervisor itself starts and stops it."""

    def __init__(self, server: AsgiServer):
        self.status = Status("gateway", "ours", ready=True, port=server.port, pid=os.getpid())
        self.env: dict[str, str] = {}

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class Terminal(Progress):
    """Progress on a terminal: a finished line replaces the live one."""

    def say(self, text: str) -> None:
        if self.interactive:
            print("\r\x1b[2K", end="")
        super().say(text)


async def _stop_all(stopping: Iterable[Any]) -> None:
    """Stop parts side by side; one that fails to stop keeps none of the others from it."""
    ends = [part.close() if isinstance(part, Gateway) else part.stop() for part in stopping]
    for result in await asyncio.gather(*ends, return_exceptions=True):
        if isinstance(result, Exception):
            print(f"while stopping: {result!r}", file=sys.stderr)


def open_lock(folder: Path) -> IO[str] | None:
    """The folder's lock, held while the file stays open; None when another process has it. The kernel frees it."""
    file = (folder / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _is_free(port: int) -> bool:
    from emulators.serving import listen

    try:
        listen(LOOPBACK, port).close()
    except OSError:
        return False
    return True


def reset(state_dir: Path) -> str:
    """Forget a stopped cloud's state; raises AlreadyRunning for a running one, CloudFailed for a strange folder."""
    if not state_dir.exists():
        return f"{state_dir} does not exist: nothing to forget."
    if not (state_dir / "lock").exists():
        raise CloudFailed(f"{state_dir} is not the state of a local cloud; remove it yourself if you mean it.")
    lock = open_lock(state_dir)
    if lock is None:
        raise AlreadyRunning(f"A local cloud runs on {state_dir} ({(state_dir / 'lock').read_text().strip()}).")
    with lock:
        shutil.rmtree(state_dir)
    return f"{state_dir} is forgotten."


async def until_told_to_stop() -> None:
    """Wait for Ctrl-C, SIGTERM, or the terminal's end. A second signal ends this process at once."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell() -> None:
        if told.is_set():
            os._exit(130)  # the guardian ends the children
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, tell)
    await told.wait()


async def up(options: Options, *, prepare: Callable[[LocalCloud], Awaitable[None]] | None = None) -> int:
    """Run the local cloud until told to stop; return the exit status. ``prepare`` loads demo data once it is ready."""
    progress = Terminal(interactive=sys.stdout.isatty())
    cloud = LocalCloud(options, progress=progress)
    stopping = asyncio.create_task(until_told_to_stop())
    began = time.monotonic()
    progress.say("Starting the local cloud:")

    async def start() -> None:
        await cloud.start()
        if prepare is not None:
            await prepare(cloud)

    starting = asyncio.create_task(start())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            progress.say(
                f"Ready after {time.monotonic() - began:.1f} s.\n\n"
                f"  API      {cloud.base_url}/api\n  Console  {cloud.base_url}/_emulators/\n\nCtrl-C stops everything."
            )
            await stopping
        progress.say("Stopping …")
        return 0
    except CloudFailed as error:
        progress.say(f"\nThe local cloud did not start. {error}")
        return 1
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await cloud.stop()
        stopping.cancel()
