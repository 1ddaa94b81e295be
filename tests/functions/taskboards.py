"""What tests of the task platform's second half share: a board with items, staff, and changes as they are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from shared.areas.tasks import changes, items
from shared.areas.tasks.changes import Actor, Change
from shared.areas.tasks.models import ChangeItem
from shared.db.database import OutboxRow
from tests.functions.conftest import World


@dataclass
class Board:
    """A board in a workspace of its own, with one group, and a signed-in member of staff."""

    world: World
    workspace_id: UUID
    id: UUID
    group_id: UUID
    me: UUID
    headers: dict[str, str]

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return await self.world.call(method, f"/api/tasks{path}", headers=headers, **options)

    async def item(self, name: str = "Fix the page", **columns: Any) -> UUID:
        given = {"group_id": self.group_id, "name": name, "created_by": self.me, **columns}
        places = ", ".join(f"${n}" for n in range(1, len(given) + 1))
        found: UUID = await self.world.db.fetchval(
            f"insert into task_items ({', '.join(given)}) values ({places}) returning id", *given.values()
        )
        return found

    async def assign(self, item_id: UUID, user_id: UUID) -> None:
        await self.world.db.execute(
            "insert into task_item_assignees (item_id, user_id) values ($1, $2)", item_id, user_id
        )

    async def say(self, item_id: UUID, content: str, *, by: UUID | None = None, at: datetime | None = None) -> UUID:
        found: UUID = await self.world.db.fetchval(
            """insert into task_updates (item_id, user_id, content, created_at)
               values ($1, $2, $3, coalesce($4, clock_timestamp())) returning id""",
            item_id, by or self.me, content, at,
        )  # fmt: skip
        return found

    async def log(self, item_id: UUID, minutes: int = 60, **more: Any) -> dict[str, Any]:
        answer = await self.call("POST", f"/items/{item_id}/time-entries", json={"time_spent_minutes": minutes, **more})
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()["time_entry"]
        return told

    async def rule(self, *, everywhere: bool = False, **told: Any) -> dict[str, Any]:
        """An automation; by default one that says something when a status changes."""
        body = {
            "name": "A rule",
            "trigger_type": "status_change",
            "action_type": "add_update",
            "action_config": {"content": "Seen."},
            **told,
        }
        path = "/automations/global" if everywhere else f"/boards/{self.id}/automations"
        answer = await self.call("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        kept: dict[str, Any] = answer.json()["automation"]
        return kept

    async def set_status(self, item_id: UUID, status: str, *, by: UUID | None = None) -> OutboxRow:
        """Change an item's status as a person, and return the fact that this told."""
        async with self.world.db.transaction() as tx:
            await items.change(tx, by or self.me, item_id, ChangeItem(status=status))
        return tx.outbox[-1]

    async def tell_assigned(self, item_id: UUID, *people: UUID, by: UUID | None = None) -> OutboxRow:
        found = [Change(what="assignee_added", new=str(person)) for person in people]
        async with self.world.db.transaction() as tx:
            await changes.record(tx, Actor(by or self.me), [(item_id, self.id, found)])
        return tx.outbox[-1]

    async def deliver(self, fact: OutboxRow) -> int:
        answer = await self.world.deliver_event("tasks_run_automations", fact.payload, key=fact.id)
        return answer.status_code

    async def updates(self, item_id: UUID) -> list[str]:
        rows = await self.world.db.fetch(
            "select content from task_updates where item_id = $1 order by created_at, id", item_id
        )
        return [row["content"] for row in rows]

    async def notices(self, user_id: UUID) -> list[Any]:
        return await self.world.db.fetch("select * from notifications where user_id = $1 order by created_at", user_id)

    async def runs(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.call("GET", "/automations/runs", params={"board_id": str(self.id), **query})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["runs"]
        return found

    async def status(self, item_id: UUID) -> str:
        found: str = await self.world.db.fetchval("select status from task_items where id = $1", item_id)
        return found


async def a_board(world: World, role: str = "admin") -> Board:
    me = await world.user(role)
    workspace_id, board_id, group_id = uuid4(), uuid4(), uuid4()
    await world.db.execute("insert into task_workspaces (id, name) values ($1, 'Agency')", workspace_id)
    await world.db.execute(
        "insert into task_boards (id, workspace_id, name) values ($1, $2, 'Web')", board_id, workspace_id
    )
    await world.db.execute("insert into task_groups (id, board_id, name) values ($1, $2, 'Main')", group_id, board_id)
    return Board(world, workspace_id, board_id, group_id, me, await world.sign_in(me))


def agency_today(world: World) -> date:
    return datetime.now(world.services.settings.agency_zone).date()
