"""A small HTTP/1.1 client for the gateway: passes messages on as they are, streaming, over kept connections.

A general client costs more than ten times what the gateway itself does for a request. This one does what a proxy on the
loopback needs and no more: no redirects, cookies, compression, TLS, or headers of its own. Deadlines are the caller's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import cast

import httptools

Headers = list[tuple[bytes, bytes]]

IDLE_S = 3.0  # shorter than the server's keep-alive, so that no request meets a connection that is just being closed
MOST_BUFFERED = 256 * 1024


class Unreachable(Exception):
    """Nobody listens, or the connection ended before the whole answer was here."""


class Connection(asyncio.Protocol):
    """One connection, one exchange at a time."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self.answered = False  # has the current exchange brought any byte?
        self._transport: asyncio.Transport | None = None
        self._bodiless = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._reset()

    # -- asyncio.Protocol ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._writable.set()
        self._news.set()

    def data_received(self, data: bytes) -> None:
        self.answered = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()
        self._news.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # -- httptools ----------------------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self._bodiless:  # the answer to HEAD: its length is that of a body which does not come
            self._complete = True  # and _kept stays false

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)
        self._buffered += len(body)
        if self._buffered > MOST_BUFFERED and self._transport is not None:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        self._complete = True
        self._kept = self._parser.should_keep_alive()

    # -- an exchange --------------------------------------------------------------------------------------------------

    def _reset(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._news = asyncio.Event()
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._complete, self._kept, self._sent, self._bodiless = False, False, True, False
        self.status, self.headers = 0, Headers()
        self.answered = False

    @property
    def alive(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    @property
    def reusable(self) -> bool:
        return self.alive and self._complete and self._kept and self._sent

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def begin(self, method: bytes, target: bytes, headers: Headers, *, chunked: bool) -> None:
        """Send the head of a request."""
        self._reset()
        if self._transport is not None:
            self._transport.resume_reading()  # the last answer may have ended while its reader was behind
        self._bodiless = method == b"HEAD"
        lines = [b"%b %b HTTP/1.1\r\n" % (method, target), *(b"%b: %b\r\n" % header for header in headers)]
        self._write(b"".join([*lines, b"transfer-encoding: chunked\r\n\r\n" if chunked else b"\r\n"]))

    async def send_body(self, body: AsyncIterator[bytes], *, chunked: bool) -> None:
        self._sent = False
        async for part in body:
            self._write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
            await self._writable.wait()
        if chunked:
            self._write(b"0\r\n\r\n")
        self._sent = True

    async def head(self) -> None:
        """Wait until ``status`` and ``headers`` are here."""
        while not self.status:
            await self._wait_for_news()

    async def body(self) -> AsyncIterator[bytes]:
        """The parts of the answer's body, as they come."""
        while True:
            while self._chunks:
                part = self._chunks.popleft()
                self._buffered -= len(part)
                yield part
            if self._complete:
                return
            if self._transport is not None:
                self._transport.resume_reading()
            await self._wait_for_news()

    async def _wait_for_news(self) -> None:
        if self._transport is None:
            raise Unreachable("the connection ended")
        self._news.clear()
        await self._news.wait()

    def _write(self, data: bytes) -> None:
        if self._transport is None:
            raise Unreachable("the connection ended")
        self._transport.write(data)


class Answer:
    """An answer whose body is still to be read."""

    def __init__(self, connection: Connection):
        self.status, self.headers = connection.status, connection.headers
        self._connection = connection

    def body(self) -> AsyncIterator[bytes]:
        return self._connection.body()


class Upstream:
    """A pool of connections to servers on this machine."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int], list[Connection]] = {}

    @contextlib.asynccontextmanager
    async def exchange(
        self,
        address: tuple[str, int],
        method: str,
        target: bytes,
        headers: Headers,
        body: AsyncIterator[bytes] | None = None,
    ) -> AsyncIterator[Answer]:
        """Send a request and give its answer. ``headers`` say Host, and Content-Length when the body has a known one.

        Raises Unreachable. A request without a body is sent a second time when its kept connection turns out closed.
        """
        connection, kept = await self._connection(address)
        try:
            sending = await self._begin(connection, method, target, headers, body)
        except Unreachable:
            if not kept or body is not None or connection.answered:
                raise
            connection = await _connect(address)
            sending = await self._begin(connection, method, target, headers, body)
        try:
            yield Answer(connection)
        finally:
            if sending is not None:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
            self._give_back(address, connection)

    async def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _begin(
        self,
        connection: Connection,
        method: str,
        target: bytes,
        headers: Headers,
        body: AsyncIterator[bytes] | None,
    ) -> asyncio.Task[None] | None:
        """Send the request until its answer begins; the task that may still be sending the body."""
        chunked = body is not None and not any(name == b"content-length" for name, _ in headers)
        sending = None
        try:
            connection.begin(method.encode(), target, headers, chunked=chunked)
            if body is not None:
                sending = asyncio.create_task(connection.send_body(body, chunked=chunked))
            await connection.head()
        except BaseException:
            if sending is not None:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
            connection.close()
            raise
        return sending

    async def _connection(self, address: tuple[str, int]) -> tuple[Connection, bool]:
        """A connection, and whether it was used before."""
        now = asyncio.get_running_loop().time()
        idle = self._idle.get(address, [])
        while idle:
            connection = idle.pop()
            if connection.alive and now - connection.idle_since < IDLE_S:
                return connection, True
            connection.close()
        return await _connect(address), False

    def _give_back(self, address: tuple[str, int], connection: Connection) -> None:
        if not connection.reusable:
            connection.close()
            return
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle.setdefault(address, []).append(connection)


async def _connect(address: tuple[str, int]) -> Connection:
    try:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, *address)
    except OSError as error:
        raise Unreachable("nobody listens") from error
    return connection
