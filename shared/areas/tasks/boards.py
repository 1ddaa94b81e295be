"""Boards and their groups: made, moved, deleted, shown whole, counted, exported. Source: spec api-tasks §3."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from shared.areas.csv import csv_line
from shared.areas.tasks import access, shapes
from shared.areas.tasks.audit import By, record
from shared.areas.tasks.models import ChangeBoard, ChangeGroup, CreateBoard, CreateGroup
from shared.db.database import Database, Executor, Transaction

MOST_ITEMS: Final = 5_000
"""The items that one view shows, newest changes first."""

_CSV = ("id", "name", "status", "due_date", "needs_attention", "is_voicemail", "group_name", "created_at", "updated_at")


async def list_all(db: Executor) -> str:
    """``{"boards": […]}`` of all workspaces, each with workspace_name; the newest workspace's first."""
    return await shapes.text(
        db,
        """
        select json_build_object('boards', coalesce(json_agg(json_build_object('id', b.id,
            'workspace_id', b.workspace_id, 'name', b.name, 'description', b.description,
            'board_prefix', b.board_prefix, 'created_by', b.created_by, 'created_at', iso(b.created_at),
            'workspace_name', w.name) order by w.created_at desc, w.id, b.created_at desc, b.id), '[]'))::text
        from task_boards b join task_workspaces w on w.id = b.workspace_id
        """,
    )


async def list_of_workspace(db: Executor, user_id: UUID, workspace_id: UUID) -> str:
    """``{"boards": […]}``, newest first."""
    return await access.read(
        db, "workspace", user_id, workspace_id,
        """
        select json_build_object('boards', (
            select coalesce(json_agg({board} order by b.created_at desc, b.id), '[]')
            from task_boards b where b.workspace_id = seen.id))::text from seen
        """,
    )  # fmt: skip


async def create(tx: Transaction, user_id: UUID, workspace_id: UUID, wanted: CreateBoard) -> str:
    """``{"board": …}``, without groups."""
    await access.workspace(tx, user_id, workspace_id, lock="keep")
    return await shapes.text(
        tx,
        """
        with b as (
            insert into task_boards (workspace_id, name, description, created_by) values ($1, $2, $3, $4) returning *
        ) select json_build_object('board', {board})::text from b
        """,
        workspace_id, wanted.name, wanted.description, user_id,
    )  # fmt: skip


async def change(tx: Transaction, by: By, board_id: UUID, wanted: ChangeBoard) -> str:
    """``{"board": …}``. To move a board its mover must manage both workspaces."""
    board = await access.board(tx, by.user.id, board_id, lock="change")
    given = wanted.given
    target = wanted.workspace_id if "workspace_id" in given else board["workspace_id"]
    if target != board["workspace_id"]:
        await access.board(tx, by.user.id, board_id, manage=True)
        await access.workspace(tx, by.user.id, target, manage=True, lock="keep")
        await record(
            tx, by, "task_board_moved", board_id, from_workspace_id=str(board["workspace_id"]), workspace_id=str(target)
        )
    return await shapes.text(
        tx,
        """
        with b as (
            update task_boards set name = $2, description = $3, workspace_id = $4 where id = $1 returning *
        ) select json_build_object('board', {board})::text from b
        """,
        board_id, given.get("name", board["name"]), given.get("description", board["description"]), target,
    )  # fmt: skip


async def delete(tx: Transaction, by: By, board_id: UUID) -> None:
    """Delete a board with all that is on it; what time was spent stays, under the items' names."""
    board = await access.board(tx, by.user.id, board_id, manage=True, lock="delete")
    items = await tx.fetchval(
        "select count(*) from task_items i join task_groups g on g.id = i.group_id where g.board_id = $1", board_id
    )
    await tx.execute("delete from task_boards where id = $1", board_id)
    await record(
        tx, by, "task_board_deleted", board_id,
        name=board["name"], workspace_id=str(board["workspace_id"]), items=items,
    )  # fmt: skip


async def view(db: Executor, user_id: UUID, board_id: UUID) -> str:
    """All that the dashboard shows of a board, in one statement; of a very large one its newest items."""
    return await access.read(
        db, "board", user_id, board_id,
        """
        , live as materialized (
            select i.* from task_items i where i.archived_at is null
              and i.group_id = any(array(select g.id from task_groups g join seen on seen.id = g.board_id))
            order by i.updated_at desc, i.created_at desc, i.id limit $3
        ), {around_live}
        select json_build_object(
            'board', {board},
            'groups', (select coalesce(json_agg({group} order by g.order_index, g.name, g.id), '[]')
                       from task_groups g where g.board_id = b.id),
            'items', (select coalesce(json_agg({item} order by i.updated_at desc, i.created_at desc, i.id), '[]')
                      from live i),
            'assignees_by_item', (select coalesce(json_object_agg(item_id, told), '{}') from people),
            'time_totals_by_item', (
                select coalesce(json_object_agg(item_id, minutes), '{}') from spent),
            'update_counts_by_item', (select coalesce(json_object_agg(item_id, updates), '{}') from discussed),
            'status_labels', (select coalesce(json_agg({label} order by l.part, l.place, l.text_key), '[]')
                              from task_labels l where l.board_id = b.id)
        )::text from seen join task_boards b on b.id = seen.id
        """,
        MOST_ITEMS,
    )  # fmt: skip


async def report(db: Executor, user_id: UUID, board_id: UUID) -> str:
    """``{"report": …}``: how many live items there are of each kind, and when the last of them changed."""
    return await access.read(
        db, "board", user_id, board_id,
        """
        select json_build_object('report', (
            select json_build_object({counters}, 'last_updated_at', iso(max(i.updated_at)))
            from task_items i join task_groups g on g.id = i.group_id
            left join task_labels l on l.board_id = g.board_id and l.text_key = lower(btrim(i.status))
            where g.board_id = seen.id and i.archived_at is null))::text from seen
        """,
    )  # fmt: skip


async def export(db: Database, user_id: UUID, board_id: UUID) -> str:
    """The live items of a board as CSV, in the view's order; no cell is a formula."""
    await access.board(db, user_id, board_id)
    rows = await db.fetch(
        """
        select i.id, i.name, i.status, i.due_date, case when i.needs_attention then 'true' else 'false' end,
               case when i.is_voicemail then 'true' else 'false' end, g.name as group_name, iso(i.created_at),
               iso(i.updated_at)
        from task_items i join task_groups g on g.id = i.group_id
        where g.board_id = $1 and i.archived_at is null order by i.updated_at desc, i.created_at desc, i.id
        """,
        board_id,
    )
    return csv_line(_CSV) + "".join(csv_line(row.values()) for row in rows)


# Groups


async def list_groups(db: Executor, user_id: UUID, board_id: UUID) -> str:
    """``{"groups": […]}`` in their order."""
    return await access.read(
        db, "board", user_id, board_id,
        """
        select json_build_object('groups', (
            select coalesce(json_agg({group} order by g.order_index, g.name, g.id), '[]')
            from task_groups g where g.board_id = seen.id))::text from seen
        """,
    )  # fmt: skip


async def create_group(tx: Transaction, user_id: UUID, board_id: UUID, wanted: CreateGroup) -> str:
    """``{"group": …}``, after the last one unless its place is given. One at a time on each board."""
    await access.board(tx, user_id, board_id, lock="change")
    return await shapes.text(
        tx,
        """
        with g as (
            insert into task_groups (board_id, name, order_index)
            values ($1, $2, coalesce($3, (
                select coalesce(max(order_index) + 1, 0) from task_groups where board_id = $1)))
            returning *
        ) select json_build_object('group', {group})::text from g
        """,
        board_id, wanted.name, wanted.order_index,
    )  # fmt: skip


async def change_group(tx: Transaction, user_id: UUID, group_id: UUID, wanted: ChangeGroup) -> str:
    """``{"group": …}``. ``order_index`` is the group's new place among its board's, which are numbered anew from 0."""
    group = await access.group(tx, user_id, group_id)
    await access.board(tx, user_id, group["board_id"], lock="change")
    await access.group(tx, user_id, group_id, lock="change")
    given = wanted.given
    if "name" in given:
        await tx.execute("update task_groups set name = $2 where id = $1", group_id, wanted.name)
    if "order_index" in given:
        await tx.execute(
            """
            with others as (
                select id, row_number() over (order by order_index, name, id) - 1 as place
                from task_groups where board_id = $1 and id <> $2
            ), placed as (
                select id, case when place >= $3 then place + 1 else place end as place from others
                union all select $2, least($3, (select count(*) from others))
            )
            update task_groups g set order_index = placed.place from placed
            where g.id = placed.id and g.order_index <> placed.place
            """,
            group["board_id"], group_id, wanted.order_index,
        )  # fmt: skip
    return await shapes.text(
        tx, "select json_build_object('group', {group})::text from task_groups g where g.id = $1", group_id
    )


async def delete_group(tx: Transaction, by: By, group_id: UUID) -> None:
    """Delete a group with its items; what time was spent stays, under the items' names."""
    group = await access.group(tx, by.user.id, group_id, manage=True, lock="delete")
    items = await tx.fetchval("select count(*) from task_items where group_id = $1", group_id)
    await tx.execute("delete from task_groups where id = $1", group_id)
    await record(
        tx, by, "task_group_deleted", group_id, name=group["name"], board_id=str(group["board_id"]), items=items
    )
