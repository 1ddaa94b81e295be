"""The demo's boards: each client's at the Monday stand-in, and the task board here that it is kept the same with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulators.demo_data import CLIENTS, DemoClient, demo_id

if TYPE_CHECKING:
    import asyncpg

    from emulators.vendors.monday import Monday

COLUMNS: tuple[dict[str, Any], ...] = (
    {
        "id": "status",
        "title": "Status",
        "type": "status",
        "labels": ["Assigned", "Rush Job", "To Do", "Working on it", "Stuck", "Done"],
    },
    {"id": "date4", "title": "Due date", "type": "date"},
    {"id": "person", "title": "Person", "type": "people"},
    {"id": "files", "title": "Files", "type": "file"},
    {"id": "client", "title": "Client", "type": "text"},
)
GROUPS = {"active": "Active", "completed": "Completed"}
SETTINGS = {"monday_client_column_id": "client", "monday_client_files_column_id": "files"}
ACCOUNT_MANAGER = "1101"  # the demo's team member, at Monday


def board_of(client: DemoClient) -> str:
    """The number of a client's board at Monday."""
    return f"7{client.ctm_account}"


def task_board(client: DemoClient) -> Any:
    return demo_id(f"task board {client.key}")


async def load(connection: asyncpg.Connection) -> None:
    """Put the clients' task boards, and where their items are at Monday, into the database."""
    workspace = demo_id("workspace clients")
    async with connection.transaction():
        await connection.execute(
            "insert into task_workspaces (id, name, created_by) values ($1, 'Clients', $2) on conflict do nothing",
            workspace, demo_id("user admin@anchor.test"),
        )  # fmt: skip
        await connection.execute(
            "insert into app_settings (key, value) values ('monday', $1) on conflict do nothing", SETTINGS
        )
        for client in CLIENTS.values():
            await connection.execute(
                "insert into task_boards (id, workspace_id, name) values ($1, $2, $3) on conflict do nothing",
                task_board(client), workspace, client.business,
            )  # fmt: skip
            await connection.execute(
                "insert into task_groups (id, board_id, name) values ($1, $2, 'Backlog') on conflict do nothing",
                demo_id(f"task group {client.key}"), task_board(client),
            )  # fmt: skip
            await connection.execute(
                """
                update client_profiles set monday_board_id = $2, monday_group_id = 'active',
                    monday_active_group_id = 'active', monday_completed_group_id = 'completed',
                    client_identifier_value = $3, account_manager_person_id = $4, task_board_id = $5
                where user_id = $1 and monday_board_id is null
                """,
                client.id, board_of(client), client.business, ACCOUNT_MANAGER, task_board(client),
            )  # fmt: skip


async def open_boards(monday: Monday, connection: asyncpg.Connection) -> None:
    """Open the boards at the stand-in. Its memory does not outlive a stop: what was linked to it is linked no more."""
    if not any(user["id"] == ACCOUNT_MANAGER for user in monday.users):
        monday.add_user(int(ACCOUNT_MANAGER), "Toni Team", "team@anchor.test")
    for client in CLIENTS.values():
        board_id = board_of(client)
        if board_id in monday.boards:
            continue
        async with connection.transaction():
            await connection.execute("update task_items set monday_item_id = null where monday_board_id = $1", board_id)
            await connection.execute("delete from monday_links where board_id = $1", board_id)
        monday.add_board(board_id, client.business, groups=GROUPS, columns=[dict(column) for column in COLUMNS])
