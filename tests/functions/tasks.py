"""What the tests of tasks share: people, boards with items, and calls that must work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.functions.conftest import World

ROOT = "/api/tasks"


@dataclass(frozen=True)
class Caller:
    """Somebody signed in."""

    world: World
    id: UUID
    headers: dict[str, str]

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON of a call, or of its error; ``status`` is what must come (default: any 2xx)."""
        status = options.pop("status", None)
        answer = await self.world.call(
            method, f"{ROOT}{path}", headers=self.headers, **options, **({} if body is None else {"json": body})
        )
        expected = answer.status_code == status if status else answer.is_success
        assert expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    async def get(self, path: str, **options: Any) -> Any:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return await self.ask("POST", path, {} if body is None else body, **options)

    async def patch(self, path: str, body: Any, **options: Any) -> Any:
        return await self.ask("PATCH", path, body, **options)

    async def delete(self, path: str, **options: Any) -> Any:
        return await self.ask("DELETE", path, **options)


async def caller(world: World, role: str = "admin", **columns: Any) -> Caller:
    user_id = await world.user(role, **columns)
    return Caller(world, user_id, await world.sign_in(user_id))


@dataclass(frozen=True)
class Made:
    """A workspace with one board of one group with one item."""

    workspace: str
    board: str
    group: str
    item: str


async def made(admin: Caller, *, name: str = "Call Ms Example") -> Made:
    workspace = (await admin.post("/workspaces", {"name": "Agency"}))["workspace"]["id"]
    board = (await admin.post(f"/workspaces/{workspace}/boards", {"name": "Clinic"}))["board"]["id"]
    group = (await admin.post(f"/boards/{board}/groups", {"name": "Backlog"}))["group"]["id"]
    item = (await admin.post(f"/groups/{group}/items", {"name": name}))["item"]["id"]
    return Made(workspace, board, group, item)


async def told(world: World, item: str) -> list[dict[str, Any]]:
    """What the topic was told of an item, oldest first."""
    return [row["payload"] for row in await world.outbox("task-item-changed", item_id=item)]
