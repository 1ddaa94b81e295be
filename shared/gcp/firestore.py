"""Firestore: small documents that live for minutes (sign-in states, sync progress, cool-downs, cached boards).

Every document carries ``expires_at``, the field that the collection's TTL policy reads. Firestore deletes up to a day
late, so reading treats an expired document as gone.
Source: https://cloud.google.com/firestore/docs/ttl
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.config import Settings
from shared.errors import TryLater
from shared.gcp.errors import meaning

if TYPE_CHECKING:
    from google.cloud.firestore import AsyncClient

_TIMEOUT_S = 5.0
EXPIRES_AT = "expires_at"


class Firestore:
    """Documents by collection and id. One per instance; its channel is opened on first use.

    Every method raises TryLater when Firestore cannot answer now, Rejected or Reconnect when it never will.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AsyncClient | None = None

    async def put(self, collection: str, key: str, fields: dict[str, Any], *, lifetime: timedelta) -> None:
        """Store *fields* in place of whatever was there, for *lifetime*."""
        document = {**fields, EXPIRES_AT: datetime.now(UTC) + lifetime}
        async with _explained():
            await self._document(collection, key).set(document, timeout=_TIMEOUT_S)

    async def get(self, collection: str, key: str) -> dict[str, Any] | None:
        """The living document's fields, without ``expires_at``; None when there is none."""
        async with _explained():
            snapshot = await self._document(collection, key).get(timeout=_TIMEOUT_S)
        return _alive(snapshot)

    async def take(self, collection: str, key: str) -> dict[str, Any] | None:
        """The document's fields, for one caller only: it is deleted, and whoever comes second gets None."""
        from google.api_core.exceptions import FailedPrecondition, NotFound

        document = self._document(collection, key)
        async with _explained():
            snapshot = await document.get(timeout=_TIMEOUT_S)
            if not snapshot.exists:
                return None
            unchanged = self._connected().write_option(last_update_time=snapshot.update_time)
            try:
                await document.delete(option=unchanged, timeout=_TIMEOUT_S)
            except (FailedPrecondition, NotFound):
                return None
        return _alive(snapshot)

    async def delete(self, collection: str, key: str) -> None:
        """Forget the document, if there is one."""
        async with _explained():
            await self._document(collection, key).delete(timeout=_TIMEOUT_S)

    def _document(self, collection: str, key: str) -> Any:
        return self._connected().collection(collection).document(key)

    def _connected(self) -> AsyncClient:
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> AsyncClient:
        from google.cloud.firestore import AsyncClient

        project, host = self._settings.gcp_project_id, self._settings.firestore_emulator_host
        if not host:
            return AsyncClient(project=project)
        from google.auth.credentials import AnonymousCredentials

        client = AsyncClient(project=project, credentials=AnonymousCredentials())
        client._emulator_host = host  # the constructor reads it from FIRESTORE_EMULATOR_HOST alone
        return client

    async def close(self) -> None:
        if self._client is not None:
            await self._client._firestore_api.transport.close()
            self._client = None


def _alive(snapshot: Any) -> dict[str, Any] | None:
    fields: dict[str, Any] = snapshot.to_dict() or {}
    expires_at = fields.pop(EXPIRES_AT, None)
    return fields if expires_at is not None and expires_at > datetime.now(UTC) else None


@asynccontextmanager
async def _explained() -> AsyncIterator[None]:
    from google.api_core.exceptions import GoogleAPICallError, RetryError

    try:
        yield
    except RetryError as error:
        raise TryLater("firestore") from error
    except GoogleAPICallError as error:
        raise meaning("firestore", error) from error
