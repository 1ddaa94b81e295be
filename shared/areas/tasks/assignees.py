"""Who works on an item, and what somebody has to do. Source: spec api-tasks §7, §11 (my work)."""

from __future__ import annotations

from uuid import UUID

from shared.areas.emails.telling import Telling
from shared.areas.tasks import access, changes, shapes, workspaces
from shared.areas.tasks.changes import Actor, Change
from shared.areas.tasks.models import WhichPerson
from shared.areas.tasks.telling import ASSIGNMENTS, tell
from shared.db import counters
from shared.db.database import Executor, Transaction
from shared.errors import Forbidden, NotFound


async def list_of_item(db: Executor, user_id: UUID, item_id: UUID) -> str:
    """``{"assignees": […]}`` by address."""
    return await access.read(
        db, "item", user_id, item_id,
        """
        select json_build_object('assignees', (
            select coalesce(json_agg({assignee} order by u.email), '[]')
            from task_item_assignees a join users u on u.id = a.user_id where a.item_id = seen.id))::text from seen
        """,
    )  # fmt: skip


async def may_assign(db: Executor, user_id: UUID) -> None:
    """TooManyRequests for one who assigns faster than a person does."""
    await counters.spend(db, (ASSIGNMENTS, str(user_id)))


async def add(tx: Transaction, user_id: UUID, item_id: UUID, wanted: WhichPerson, telling: Telling) -> str:
    """``{"assignee": …}``; who is assigned already stays so. Newly assigned people hear of it, unless by themselves.

    Forbidden for who is neither staff nor a member of the workspace; an unknown id is none of both.
    """
    item = await access.item(tx, user_id, item_id, lock="keep")
    try:
        assignee_id = await workspaces.person(tx, wanted)
    except NotFound:
        if wanted.user_id is None:
            raise
        raise _no_access() from None
    allowed = await tx.fetchval(
        shapes.sql("""
        select u.role in {staff} or exists (
            select from task_workspace_memberships m where m.workspace_id = $2 and m.user_id = u.id)
        from users u where u.id = $1
        """),
        assignee_id, item["workspace_id"],
    )  # fmt: skip
    if not allowed:
        raise _no_access()
    is_new = await tx.execute(
        "insert into task_item_assignees (item_id, user_id) values ($1, $2) on conflict do nothing",
        item_id,
        assignee_id,
    )
    if is_new:
        added = Change(what="assignee_added", new=str(assignee_id))
        await changes.record(tx, Actor(user_id), [(item_id, item["board_id"], [added])])
        if assignee_id != user_id:
            meta = {"source": "task_assignment", "actor_user_id": str(user_id)}
            await tell(tx, [assignee_id], "You were assigned to a task", item, meta, telling)
    return await shapes.text(
        tx, "select json_build_object('assignee', {assignee})::text from users u where u.id = $1", assignee_id
    )


async def remove(tx: Transaction, user_id: UUID, item_id: UUID, assignee_id: UUID) -> None:
    item = await access.item(tx, user_id, item_id, lock="keep")
    removed = await tx.execute(
        "delete from task_item_assignees where item_id = $1 and user_id = $2", item_id, assignee_id
    )
    if not removed:
        raise NotFound("This person is not assigned to this item.", code="NOT_ASSIGNED")
    change = Change(what="assignee_removed", old=str(assignee_id))
    await changes.record(tx, Actor(user_id), [(item_id, item["board_id"], [change])])


async def my_work(db: Executor, user_id: UUID) -> str:
    """``{"boards": […]}``: the live items that a person is assigned to, done ones too, by workspace and board name."""
    return await shapes.text(
        db,
        """
        with live as materialized (
            select i.* from task_items i where i.archived_at is null
              and i.id = any(array(select item_id from task_item_assignees where user_id = $1))
        ), {around_live}, board as (
            select g.board_id, json_agg(json_build_object('id', i.id, 'name', i.name, 'status', i.status,
                'due_date', i.due_date, 'needs_attention', i.needs_attention, 'is_voicemail', i.is_voicemail,
                'assignees', people.told, 'update_count', coalesce(discussed.updates, 0),
                'time_total_minutes', coalesce(spent.minutes, 0)) order by i.updated_at desc, i.id) as items
            from live i join task_groups g on g.id = i.group_id
            join people on people.item_id = i.id left join discussed on discussed.item_id = i.id
            left join spent on spent.item_id = i.id group by g.board_id
        )
        select json_build_object('boards', coalesce(json_agg(json_build_object('board_id', b.id,
            'board_name', b.name, 'workspace_id', w.id, 'workspace_name', w.name, 'items', board.items)
            order by w.name, b.name, b.id), '[]'))::text
        from board join task_boards b on b.id = board.board_id join task_workspaces w on w.id = b.workspace_id
        """,
        user_id,
    )


def _no_access() -> Forbidden:
    return Forbidden("This person has no access to the item's workspace.", code="NO_WORKSPACE_ACCESS")
