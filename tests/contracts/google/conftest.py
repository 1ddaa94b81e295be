"""What the contracts with Google's services need: the services as they run here, and somebody to deliver to."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import grpc
import pytest

from emulators.faults import Faults

STAND_IN = {**os.environ, "ANCHOR_EMULATORS": "stand-in"}
OFFICIAL = {name: value for name, value in os.environ.items() if name != "ANCHOR_EMULATORS"}


@dataclass(frozen=True, slots=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass(slots=True)
class HttpWorker:
    """An HTTP server that writes down what it is sent and answers what ``answer`` says: a status, and headers."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], tuple[int, dict[str, str]]] = lambda request: (204, {})
    delay_s: float = 0
    busy: int = 0
    most_busy: int = 0
    _connections: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        assert self._server is not None
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def at(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    async def wait_for(self, many: int, path: str | None = None, within_s: float = 10) -> list[Received]:
        """The requests (to *path*) once there are *many* of them."""
        until = time.monotonic() + within_s
        while True:
            found = self.received if path is None else self.at(path)
            if len(found) >= many:
                return found
            assert time.monotonic() < until, f"{len(found)} of {many} requests came in {within_s} s"
            await asyncio.sleep(0.01)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    await self._exchange(reader, writer)
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Received(method, path, headers, body, time.monotonic())
        self.received.append(request)
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        await asyncio.sleep(self.delay_s)
        self.busy -= 1
        status, extra = self.answer(request)
        shown = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
        length = "" if status == 204 else "Content-Length: 0\r\n"
        writer.write(f"HTTP/1.1 {status} .\r\n{shown}{length}\r\n".encode())
        await writer.drain()


@pytest.fixture
async def worker() -> AsyncIterator[HttpWorker]:
    worker = HttpWorker()
    await worker.start()
    yield worker
    await worker.stop()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[str], grpc.aio.Channel]]:
    """Makes channels, closed when the test is over."""
    channels: list[grpc.aio.Channel] = []

    def made(address: str) -> grpc.aio.Channel:
        channels.append(grpc.aio.insecure_channel(address))
        return channels[-1]

    yield made
    for channel in channels:
        await channel.close()


@pytest.fixture(scope="session", params=["official", "stand-in"])
def environ(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment under which an Emulator chooses the official one, or our stand-in."""
    return OFFICIAL if request.param == "official" else STAND_IN
