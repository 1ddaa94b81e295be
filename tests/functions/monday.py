"""A client whose tasks are at Monday, for tests: board, groups and columns there, workspace and board here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from starlette.responses import Response

from emulators.vendors.monday import API_USER, Item
from tests.functions.conftest import World

COLUMNS = (
    {"id": "status", "title": "Status", "type": "status", "labels": ["Assigned", "Rush Job", "Done"]},
    {"id": "date4", "title": "Due", "type": "date"},
    {"id": "person", "title": "Person", "type": "people"},
    {"id": "files", "title": "Files", "type": "file"},
    {"id": "client", "title": "Client", "type": "text"},
)
SETTINGS = {"monday_client_column_id": "client", "monday_client_files_column_id": "files"}


@dataclass
class Client:
    """One client, their board at Monday (group ``new`` for new items) and here."""

    world: World
    id: UUID
    headers: dict[str, str]
    board: str
    group_id: UUID
    task_board: UUID

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.world.call(method, path, headers=self.headers, **options)

    @property
    def items(self) -> list[Item]:
        """The client's items at Monday that are there, in the order they were made."""
        return [one for one in self.world.monday.items.values() if one.board_id == self.board and one.state == "active"]

    def shown(self, item: Item) -> dict[str, Any]:
        """An item as people read it: name, and the texts of its columns."""
        told = self.world.monday.item_as_json(item)
        return {"name": told["name"], **{key: text for key, text in told["column_values"].items() if text}}

    def add_item(self, name: str, group: str = "new", actor: int = 1002, **values: Any) -> Item:
        return self.world.monday.create_item(self.board, name, group, values, actor)

    # -- tasks here ---------------------------------------------------------------------------------------------------

    async def task(self, name: str, *, status: str = "To Do", due: date | None = None) -> UUID:
        """A task on the client's board, as a person here makes one; Monday hears of it."""
        task_id: UUID = await self.world.db.fetchval(
            "insert into task_items (group_id, name, status, due_date) values ($1, $2, $3, $4) returning id",
            self.group_id, name, status, due,
        )  # fmt: skip
        await self.tell(task_id, "created")
        return task_id

    async def change(self, task_id: UUID, **columns: Any) -> None:
        """A person here changes a task; Monday hears of it."""
        for column, value in columns.items():
            await self.world.db.execute(
                f"update task_items set {column} = $2, updated_at = now() where id = $1", task_id, value
            )
        await self.tell(task_id, *(what for what in columns if what in ("name", "status", "due_date")))

    async def tell(self, task_id: UUID, *whats: str, origin: str = "person") -> None:
        fact = {
            "item_id": str(task_id),
            "board_id": str(self.task_board),
            "changes": [{"what": what} for what in whats],
            "by": None,
            "origin": origin,
        }
        answer = await self.world.deliver_event("monday_follow_item", fact)
        assert answer.status_code == 204, answer.text

    async def task_row(self, task_id: UUID) -> Any:
        return await self.world.db.fetchrow("select * from task_items where id = $1", task_id)

    async def tasks(self) -> list[Any]:
        return await self.world.db.fetch(
            "select * from task_items where group_id = $1 order by created_at", self.group_id
        )

    # -- the clockwork ------------------------------------------------------------------------------------------------

    async def work(self, *, rounds: int = 8) -> None:
        """Deliver the waiting work of Monday's queue until there is none, as Cloud Tasks does."""
        for _ in range(rounds):
            waiting = [one for one in self.world.sent.tasks if one["function"].startswith("monday_")]
            if not waiting:
                return
            for one in waiting:
                answer = await self.world.deliver_task(
                    one["function"], one["payload"], key=UUID(one["headers"]["X-Outbox-Id"])
                )
                if answer.status_code == 204:
                    self.world.sent.tasks.remove(one)

    async def poll(self) -> None:
        """What the schedule does for this client, and the work that follows."""
        answer = await self.world.deliver_event("monday_sync", {"client_id": str(self.id)})
        assert answer.status_code == 204, answer.text
        await self.work()

    async def schedule(self, *, failing: bool = False) -> bool:
        """Let the schedule run and deliver what it hands out for this client; whether its items were to be read."""
        before = len(await self.world.outbox("monday-sync-due", client_id=str(self.id)))
        answer = await self.world.run_schedule("monday_poll", at=uuid4().hex)
        assert answer.status_code == 204, answer.text
        asked = len(await self.world.outbox("monday-sync-due", client_id=str(self.id))) > before
        if asked and not failing:
            await self.poll()
        await self.work()
        return asked

    async def pass_time(self, **length: float) -> None:
        """Everything that happened lies further back."""
        ago = timedelta(**length)
        monday = self.world.monday
        for one in monday.activity:
            if one["board_id"] == self.board:
                one["created_at"] = str(int(one["created_at"]) - int(ago.total_seconds() * 10_000_000))
        for update in (update for item in self.items for update in item.updates):
            moment = datetime.fromisoformat(update["created_at"]) - ago
            update["created_at"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for column in ("looked_at", "refused_at"):
            await self.world.db.execute(
                f"update monday_looks set {column} = {column} - $2::interval where client_id = $1", self.id, ago
            )
        for column in ("created_at", "queued_at", "trouble_at"):
            await self.world.db.execute(
                f"update monday_links set {column} = {column} - $2::interval where client_id = $1", self.id, ago
            )

    @contextmanager
    def asked(self) -> Iterator[list[str]]:
        """What Monday is asked that names this client's board or items."""
        monday, found = self.world.monday, []
        whole = monday._answer

        async def answer(query: object, variables: object, operation: str | None) -> Response:
            names = (f'"{name}"' for name in (self.board, *(item.id for item in self.items)))
            if any(name in json.dumps(variables) for name in names):
                found.append(str(query))
            return await whole(query, variables, operation)

        monday._answer = answer  # type: ignore[method-assign]
        try:
            yield found
        finally:
            monday._answer = whole  # type: ignore[method-assign]

    def waiting(self) -> int:
        return sum(one["function"].startswith("monday_") for one in self.world.sent.tasks)

    async def end_pause(self) -> None:
        """The pause that Monday asked for is over, and the time in which an unanswered request may arrive."""
        await self.world.db.execute("update monday_links set lease_until = null where client_id = $1", self.id)
        await self.world.services.firestore.delete("vendor_pauses", "monday:account")


async def connected(world: World, *, board: str | None = None, groups: tuple[str, ...] = ("new", "done")) -> Client:
    """A new client with a board of their own, or a part of the board of somebody else."""
    client_id, admin = await world.client(), await world.user("admin")
    board_id = board or str(uuid4().int % 10**9)
    if board is None:
        world.monday.add_board(
            board_id,
            f"Board {board_id}",
            groups={one: one.title() for one in groups},
            columns=[dict(c) for c in COLUMNS],
        )
    workspace = await world.db.fetchval("insert into task_workspaces (name) values ('W') returning id")
    task_board = await world.db.fetchval(
        "insert into task_boards (workspace_id, name, created_by) values ($1, 'B', $2) returning id", workspace, admin
    )
    group = await world.db.fetchval(
        "insert into task_groups (board_id, name) values ($1, 'G') returning id", task_board
    )
    await world.db.execute(
        """update client_profiles set monday_board_id = $2, monday_group_id = $3, monday_active_group_id = $3,
           monday_completed_group_id = $4, client_identifier_value = $5, task_board_id = $6 where user_id = $1""",
        client_id, board_id, groups[0], groups[-1], f"C-{client_id.hex[:6]}", task_board,
    )  # fmt: skip
    await world.db.execute(
        """insert into app_settings (key, value) values ('monday', $1)
           on conflict (key) do update set value = excluded.value""",
        SETTINGS,
    )
    await world.services.firestore.delete("vendor_pauses", "monday:account")
    return Client(world, client_id, await world.sign_in(client_id), board_id, group, task_board)


__all__ = ["API_USER", "Client", "connected"]
