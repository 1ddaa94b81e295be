"""The gateway's client: a connection is as good after a large answer as before it."""

from __future__ import annotations

import asyncio

from emulators.upstream import MOST_BUFFERED, Upstream

BODY = b"x" * (MOST_BUFFERED + 1)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY))
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


async def test_a_slow_reader_does_not_spoil_the_connection() -> None:
    """An answer that was held back because its reader was behind leaves a connection that hears the next one."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()[:2]
    upstream = Upstream()
    try:
        for _ in range(3):
            async with asyncio.timeout(5), upstream.exchange(address, "GET", b"/", [(b"host", b"a")]) as answer:
                await asyncio.sleep(0.05)  # the whole answer arrives before anybody reads
                assert b"".join([part async for part in answer.body()]) == BODY
    finally:
        await upstream.close()
        server.close()
        await server.wait_closed()
