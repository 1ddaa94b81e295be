"""Cloud Tasks: hands a piece of work to its queue.

Source: https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.config import Settings
from shared.errors import TryLater
from shared.gcp.errors import meaning

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import CloudTasksAsyncClient


class Tasks:
    """Creates tasks that call our functions. One per instance; its channel is opened on first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: CloudTasksAsyncClient | None = None

    def _connect(self) -> CloudTasksAsyncClient:
        from google.cloud.tasks_v2 import CloudTasksAsyncClient

        host = self._settings.cloud_tasks_emulator_host
        if not host:
            return CloudTasksAsyncClient()
        from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport
        from grpc.aio import insecure_channel

        return CloudTasksAsyncClient(transport=CloudTasksGrpcAsyncIOTransport(channel=insecure_channel(host)))

    async def create(
        self,
        *,
        queue: str,
        name: str,
        function: str,
        payload: dict[str, Any],
        deadline_s: int,
        not_before: datetime | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Have *function* called with *payload*. *name* makes it once: a name used before counts as done.

        Raises TryLater when the service cannot take it now, Rejected when it never will.
        """
        from google.api_core.exceptions import AlreadyExists, GoogleAPICallError, RetryError
        from google.cloud.tasks_v2 import Task

        if self._client is None:
            self._client = self._connect()
        settings = self._settings
        parent = f"projects/{settings.gcp_project_id}/locations/{settings.gcp_region}/queues/{queue}"
        url = settings.function_url(function)
        task: dict[str, Any] = {
            "name": f"{parent}/tasks/{name}",
            "dispatch_deadline": timedelta(seconds=max(15, deadline_s)),
            "http_request": {
                "url": url,
                "http_method": "POST",
                "headers": {"Content-Type": "application/json", **(headers or {})},
                "body": json.dumps(payload).encode(),
                "oidc_token": {"service_account_email": settings.invoker_email, "audience": url},
            },
        }
        if not_before is not None:
            task["schedule_time"] = not_before
        try:
            await self._client.create_task(parent=parent, task=Task(task), timeout=5.0)
        except AlreadyExists:
            return
        except RetryError as error:
            raise TryLater("cloud tasks") from error
        except GoogleAPICallError as error:
            raise meaning("cloud tasks", error) from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.transport.close()
            self._client = None
