"""Pub/Sub: tells whoever listens that something happened.

Uses the generated async client (``google.pubsub_v1``): the batching publisher works in a background thread, which an
idle instance has no CPU for. Source: https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shared.config import Settings
from shared.errors import TryLater
from shared.gcp.errors import meaning

if TYPE_CHECKING:
    from google.pubsub_v1 import PublisherAsyncClient


class Topics:
    """Publishes messages. One per instance; its channel is opened on first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: PublisherAsyncClient | None = None

    def _connect(self) -> PublisherAsyncClient:
        from google.pubsub_v1 import PublisherAsyncClient

        host = self._settings.pubsub_emulator_host
        if not host:
            return PublisherAsyncClient()
        from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
        from grpc.aio import insecure_channel

        return PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=insecure_channel(host)))

    async def publish(self, topic: str, payload: dict[str, Any], *, attributes: dict[str, str]) -> None:
        """Publish *payload* as JSON and wait until Pub/Sub has it; TryLater or Rejected when it has not."""
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.pubsub_v1 import PubsubMessage

        if self._client is None:
            self._client = self._connect()
        path = f"projects/{self._settings.gcp_project_id}/topics/{topic}"
        message = PubsubMessage(data=json.dumps(payload).encode(), attributes=attributes)
        try:
            await self._client.publish(topic=path, messages=[message], timeout=5.0)
        except RetryError as error:
            raise TryLater("pub/sub") from error
        except GoogleAPICallError as error:
            raise meaning("pub/sub", error) from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.transport.close()
            self._client = None
