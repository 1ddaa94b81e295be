"""What tests of the leads area share: a client with calls at CTM, and its requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from emulators.vendors.ctm import Account
from functions.leads import outside
from shared import manifest
from shared.areas.leads.outside import Outside
from shared.runtime.context import Context
from tests.functions.conftest import World

NOW = datetime.now(UTC)


@dataclass
class Client:
    """A signed-in client of the agency with a CTM account of its own."""

    world: World
    id: UUID
    account: Account
    headers: dict[str, str]

    def add_call(self, **given: Any) -> dict[str, Any]:
        """A call at CTM: answered an hour ago, by somebody who said something, unless *given* says otherwise."""
        ago = given.pop("ago", timedelta(hours=1))
        defaults = {
            "unix_time": int((datetime.now(UTC) - ago).timestamp()),
            "name": "Ada Caller",
            "caller_number": "+15555550123",
            "duration": 65,
            "source": "Google Ads",
        }
        return self.world.ctm.add_call(self.account, {**defaults, **given})

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return await self.world.call(method, f"/api/hub{path}", headers=headers, **options)

    async def sync(self, **body: Any) -> dict[str, Any]:
        answer = await self.call("POST", "/calls/sync", json=body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def calls(self, query: str = "") -> list[dict[str, Any]]:
        answer = await self.call("GET", f"/calls{query}")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["calls"]
        return found

    async def one(self, call_id: Any) -> dict[str, Any]:
        return next(call for call in await self.calls("?limit=100") if call["id"] == str(call_id))

    async def post_ratings(self) -> list[int]:
        """Deliver the pushes of ratings that were enqueued; their statuses."""
        due = pushes(self.world)
        self.world.sent.tasks[:] = [task for task in self.world.sent.tasks if task not in due]
        keys = [UUID(task["headers"]["X-Outbox-Id"]) for task in due]
        works = zip(due, keys, strict=True)
        answers = [await self.world.deliver_task(task["function"], task["payload"], key=key) for task, key in works]
        return [answer.status_code for answer in answers]


def pushes(world: World) -> list[dict[str, Any]]:
    """The work of posting ratings that left for Cloud Tasks."""
    return [task for task in world.sent.tasks if task["function"].startswith("leads_push_")]


async def a_client(world: World, *, auto_star: bool = False) -> Client:
    client_id = await world.client(ctm=True)
    await world.db.execute("update client_profiles set auto_star_enabled = $2 where user_id = $1", client_id, auto_star)
    account = world.ctm.accounts[str(client_id.int % 10**9)]
    return Client(world, client_id, account, await world.sign_in(client_id))


def outside_of(world: World) -> Outside:
    """What the use cases reach, for a test that calls one directly."""
    return outside(Context(function=manifest.BY_NAME["leads_sync"], services=world.services, request_id="test"))
