"""Cloud Storage: keeps, reads and deletes the objects of our one private bucket.

Google's own client is synchronous, so this speaks the JSON API with httpx: bytes stream through without a thread, and
only renewing the access token, once an hour, takes one.
Source: https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shared.config import Settings
from shared.errors import TryLater, vendor_error

if TYPE_CHECKING:
    import httpx

_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_VENDOR = "cloud storage"


@dataclass(frozen=True, slots=True)
class Stream:
    """An object being read: whoever opened it closes it."""

    size: int | None
    _answer: httpx.Response

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes, as they arrive; TryLater when they stop coming."""
        import httpx

        try:
            async for chunk in self._answer.aiter_bytes():
                yield chunk
        except httpx.TransportError as error:
            raise TryLater(_VENDOR, reason=type(error).__name__) from error

    async def read(self) -> bytes:
        """All of it; closes the stream."""
        try:
            return b"".join([chunk async for chunk in self.chunks()])
        finally:
            await self.close()

    async def close(self) -> None:
        await self._answer.aclose()


class Storage:
    """The bucket of ``settings.uploads_bucket``. One per instance; its connections are opened on first use."""

    def __init__(self, settings: Settings) -> None:
        self._bucket = settings.uploads_bucket
        self._emulator = settings.storage_emulator_host.rstrip("/")
        self._timeout_s = settings.storage_timeout_s
        self._client: httpx.AsyncClient | None = None
        self._credentials: Any = None
        self._renewing = asyncio.Lock()

    async def put(self, name: str, data: bytes, *, content_type: str) -> None:
        """Keep *data* as the object *name*, replacing one of that name. Raises TryLater, Reconnect or Rejected."""
        answer = await self._send(
            "POST",
            f"/upload/storage/v1/b/{self._bucket}/o",
            params={"uploadType": "media", "name": name},
            headers={"Content-Type": content_type},
            content=data,
        )
        await self._settle(answer)

    async def open(self, name: str) -> Stream | None:
        """The object *name*, to be read; None when there is none."""
        as_it_is = {"Accept-Encoding": "identity"}  # so that the length told is the length that comes
        answer = await self._send("GET", self._path(name), params={"alt": "media"}, headers=as_it_is, stream=True)
        if answer.status_code == 404:
            await answer.aclose()
            return None
        if not answer.is_success:
            await self._settle(answer)
        length = answer.headers.get("content-length", "")
        return Stream(int(length) if length.isdigit() else None, answer)

    async def delete(self, name: str) -> None:
        """Remove the object *name*; one that is not there is removed."""
        answer = await self._send("DELETE", self._path(name))
        if answer.status_code != 404:
            await self._settle(answer)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _path(self, name: str) -> str:
        return f"/storage/v1/b/{self._bucket}/o/{quote(name, safe='')}"

    async def _send(self, method: str, path: str, *, stream: bool = False, **parts: Any) -> httpx.Response:
        import httpx

        if self._client is None:
            base = self._emulator or "https://storage.googleapis.com"
            self._client = httpx.AsyncClient(base_url=base, timeout=self._timeout_s, trust_env=not self._emulator)
        headers = {**parts.pop("headers", {}), **await self._authorization()}
        request = self._client.build_request(method, path, headers=headers, **parts)
        try:
            return await self._client.send(request, stream=stream)
        except httpx.TransportError as error:
            raise TryLater(_VENDOR, reason=type(error).__name__) from error

    @staticmethod
    async def _settle(answer: httpx.Response) -> None:
        await answer.aclose()
        if not answer.is_success:
            raise vendor_error(_VENDOR, answer.status_code, retry_after=answer.headers.get("retry-after"))

    async def _authorization(self) -> dict[str, str]:
        """The header that proves who we are; the emulator asks for none."""
        if self._emulator:
            return {}
        async with self._renewing:
            if self._credentials is None or not self._credentials.valid:
                self._credentials = await asyncio.to_thread(_renewed, self._credentials)
        return {"Authorization": f"Bearer {self._credentials.token}"}


def _renewed(credentials: Any) -> Any:
    """This service account's credentials with a fresh token; TryLater when Google cannot be asked."""
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    try:
        if credentials is None:
            credentials, _ = google.auth.default(scopes=[_SCOPE])
        credentials.refresh(Request())
    except GoogleAuthError as error:
        raise TryLater(_VENDOR, reason="no access token") from error
    return credentials
