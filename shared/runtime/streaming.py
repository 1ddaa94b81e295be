"""An answer whose bytes come from elsewhere: passed on as they arrive, and let go of whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Protocol

from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class Source(Protocol):
    """Where the bytes come from, such as ``gcp.storage.Stream``."""

    def chunks(self) -> AsyncIterator[bytes]: ...

    async def close(self) -> None: ...


class Streamed(StreamingResponse):
    """Sends a source's bytes; to HEAD, only what they would be. The source is closed at the end, also an early one."""

    def __init__(self, source: Source, headers: Mapping[str, str]) -> None:
        super().__init__(source.chunks(), headers=headers)
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] == "HEAD":
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await send({"type": "http.response.body", "body": b""})
            else:
                await super().__call__(scope, receive, send)
        finally:
            await self._source.close()
