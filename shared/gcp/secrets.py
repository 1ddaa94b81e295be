"""Secrets: from the environment, where Cloud Run mounts them, else from Secret Manager.

What comes from Secret Manager is kept for five minutes, so that a rotated value arrives without a new deployment.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from shared.config import SECRETS, Settings
from shared.errors import TryLater
from shared.gcp.errors import meaning

if TYPE_CHECKING:
    from google.cloud.secretmanager_v1 import SecretManagerServiceAsyncClient

_KEPT_S = 300
_OLD_NAMES = {"MONDAY_API_KEY": "MONDAY_API_TOKEN"}  # by which the old server's environment has them


class Secrets:
    """Reads secrets by their names in ``config.SECRETS``."""

    def __init__(self, settings: Settings, mounted: Mapping[str, str] = os.environ) -> None:
        self._settings = settings
        self._mounted = mounted
        self._client: SecretManagerServiceAsyncClient | None = None
        self._kept: dict[str, tuple[float, str]] = {}

    async def get(self, name: str) -> str:
        """The value of secret *name*. A mounted one costs nothing; TryLater or Rejected when it cannot be read."""
        if name not in SECRETS:
            raise KeyError(name)
        if value := self._mounted.get(name) or self._mounted.get(_OLD_NAMES.get(name, name)):
            return value
        read_at, value = self._kept.get(name, (0.0, ""))
        if time.monotonic() - read_at < _KEPT_S and value:
            return value
        return await self.reload(name)

    async def reload(self, name: str) -> str:
        """The newest version in Secret Manager, whatever is mounted or kept."""
        from google.api_core.exceptions import GoogleAPICallError, RetryError

        if self._client is None:
            self._client = self._connect()
        path = f"projects/{self._settings.gcp_project_id}/secrets/{name}/versions/latest"
        try:
            answer = await self._client.access_secret_version(name=path, timeout=5.0)
        except RetryError as error:
            raise TryLater("secret manager") from error
        except GoogleAPICallError as error:
            raise meaning("secret manager", error) from error
        value: str = answer.payload.data.decode()
        self._kept[name] = (time.monotonic(), value)
        return value

    def _connect(self) -> SecretManagerServiceAsyncClient:
        from google.cloud.secretmanager_v1 import SecretManagerServiceAsyncClient

        host = self._settings.secret_manager_emulator_host
        if not host:
            return SecretManagerServiceAsyncClient()
        from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
            SecretManagerServiceGrpcAsyncIOTransport,
        )
        from grpc.aio import insecure_channel

        transport = SecretManagerServiceGrpcAsyncIOTransport(channel=insecure_channel(host))
        return SecretManagerServiceAsyncClient(transport=transport)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.transport.close()
            self._client = None
