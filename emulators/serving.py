"""Serves an ASGI application on a loopback port inside the running event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LOOPBACK = "127.0.0.1"


class _DroppableProtocol(HttpToolsProtocol):
    """Lets an application cut the connection, as a vendor's broken proxy does: ``scope["extensions"]["drop"]()``."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"drop": self.transport.abort}  # type: ignore[dict-item]  # uvicorn knows no extension that is a function


class _Server(uvicorn.Server):
    """uvicorn's server, without its signal handlers, and asleep between the seconds instead of looking ten times."""

    def __init__(self, config: uvicorn.Config):
        super().__init__(config)
        self._told_to_stop = asyncio.Event()

    def tell_to_stop(self) -> None:
        self.should_exit = True
        self._told_to_stop.set()

    async def main_loop(self) -> None:
        second = 0
        while not await self.on_tick(second * 10):  # which writes the Date header, once a second
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told_to_stop.wait(), 1)
            second += 1

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:  # the supervisor alone listens to signals
        yield


class AsgiServer:
    """One application on one port. ``port=0`` takes a free one; ``self.port`` is the real one after ``start``."""

    def __init__(self, app: ASGIApp, *, port: int = 0, host: str = LOOPBACK):
        self.host, self.port = host, port
        self._app = app
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def start(self) -> None:
        """Raises OSError (EADDRINUSE) when somebody else has the port."""
        listener = listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            http=_DroppableProtocol,
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the peer is the peer; who is believed is each application's own decision
            date_header=True,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            if self._task.done():
                await self._task
            await asyncio.sleep(0.001)

    async def stop(self) -> None:
        if self._server is None or self._task is None:
            return
        self._server.tell_to_stop()
        await self._task
        self._server = self._task = None


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, or OSError when the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def free_port() -> int:
    """A loopback port that nobody listens on just now, for a child that must be told its port."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_taken(error: OSError) -> bool:
    return error.errno in (errno.EADDRINUSE, errno.EACCES)
