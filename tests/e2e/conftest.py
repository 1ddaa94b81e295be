"""The whole local cloud, as ``make up`` starts it, on a state folder of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from emulators import demo
from emulators.cloud import LocalCloud, Options
from emulators.demo_data import form_id

RunCloud = Callable[..., AbstractAsyncContextManager[LocalCloud]]


@asynccontextmanager
async def run_cloud(folder: Path, **options: Any) -> AsyncIterator[LocalCloud]:
    """A running cloud with the demo's data. Visitors may have addresses of their own: two proxies are trusted."""
    env = {"TRUSTED_PROXY_HOPS": "2", **options.pop("env", {})}
    chosen = Options(folder, port=0, durable=False, schedules=False, env=env, **options)
    async with LocalCloud(chosen) as cloud:
        await demo.seed(cloud)
        yield cloud


@pytest.fixture(scope="session")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalCloud]:
    """One cloud for the tests that leave it as it is, on Google's own emulators where the machine has them."""
    async with run_cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture
async def database(cloud: LocalCloud) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(cloud.database_url)
    yield connection
    await connection.close()


class Visitor:
    """A browser somewhere: an address of its own, and one idempotency key for each page it loads."""

    def __init__(self, http: httpx.AsyncClient):
        self._http = http
        octets = uuid4().bytes
        self._headers = {"X-Forwarded-For": f"10.{octets[0]}.{octets[1]}.{octets[2]}"}

    async def submit(self, form: str, answers: dict[str, Any], *, key: str | None = None) -> httpx.Response:
        return await self._http.post(
            f"/embed/{form_id(form)}/submit",
            json={"payload": answers, "idempotency_key": key or uuid4().hex},
            headers=self._headers,
        )


def submission_id(answer: httpx.Response) -> UUID:
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["submission_id"])
