"""Workspaces and their members. Staff are members of all; a membership row adds others, and who manages.

Source: spec api-tasks §2.
"""

from __future__ import annotations

from uuid import UUID

from shared.areas.queries import like_pattern
from shared.areas.tasks import access, shapes
from shared.areas.tasks.audit import By, record
from shared.areas.tasks.models import AddMember, ChangeMember, CreateWorkspace, WhichPerson
from shared.db.database import Executor, Transaction
from shared.errors import NotFound


async def list_all(db: Executor) -> str:
    """``{"workspaces": […]}``, newest first."""
    return await shapes.text(
        db,
        """
        select json_build_object('workspaces', coalesce(
            json_agg({workspace} order by w.created_at desc, w.id), '[]'))::text
        from task_workspaces w
        """,
    )


async def create(tx: Transaction, user_id: UUID, wanted: CreateWorkspace) -> str:
    """``{"workspace": …}``; whoever creates it manages it."""
    return await shapes.text(
        tx,
        """
        with w as (
            insert into task_workspaces (name, created_by) values ($1, $2) returning *
        ), member as (
            insert into task_workspace_memberships (workspace_id, user_id, role) select id, $2, 'admin' from w
        ) select json_build_object('workspace', {workspace})::text from w
        """,
        wanted.name,
        user_id,
    )


async def delete(tx: Transaction, by: By, workspace_id: UUID) -> None:
    """Delete a workspace with all that is in it; what time was spent stays, under the items' names."""
    workspace = await access.workspace(tx, by.user.id, workspace_id, manage=True, lock="delete")
    lost = await tx.fetchrow(
        """
        select count(distinct b.id) as boards, count(i.id) as items
        from task_boards b left join task_groups g on g.board_id = b.id left join task_items i on i.group_id = g.id
        where b.workspace_id = $1
        """,
        workspace_id,
    )
    assert lost is not None, "an aggregate has one row"
    await tx.execute("delete from task_workspaces where id = $1", workspace_id)
    await record(tx, by, "task_workspace_deleted", workspace_id, name=workspace["name"], **lost)


async def members(db: Executor, user_id: UUID, workspace_id: UUID) -> str:
    """``{"members": […]}`` by user id: those with a row, and all staff."""
    return await access.read(
        db,
        "workspace",
        user_id,
        workspace_id,
        """
        select json_build_object('members', (
            select json_agg(json_build_object({member}, 'created_at', iso(m.created_at), 'avatar_url', u.avatar_url)
                order by u.id) {members}
        ))::text from seen
        """,
    )


async def search(db: Executor, user_id: UUID, workspace_id: UUID, words: str) -> str:
    """``{"members": […]}``: at most ten whose address or name has these words, by address; none for no words."""
    return await access.read(
        db,
        "workspace",
        user_id,
        workspace_id,
        """
        select json_build_object('members', (select coalesce(json_agg(member order by email), '[]') from (
            select u.email, json_build_object({member}) as member {members}
            and (u.email ilike $3 or concat_ws(' ', u.first_name, u.last_name) ilike $3)
            order by u.email limit 10
        ) found))::text from seen
        """,
        like_pattern(words),
    )


async def add_member(tx: Transaction, by: By, workspace_id: UUID, wanted: AddMember) -> str:
    """``{"member": …}``; who is a member already gets the role."""
    await access.workspace(tx, by.user.id, workspace_id, manage=True, lock="keep")
    user_id = await person(tx, wanted)
    await tx.execute(
        """
        insert into task_workspace_memberships (workspace_id, user_id, role) values ($1, $2, $3)
        on conflict (workspace_id, user_id) do update set role = excluded.role
        """,
        workspace_id, user_id, wanted.role,
    )  # fmt: skip
    await record(tx, by, "task_member_added", workspace_id, member_id=str(user_id), role=wanted.role)
    return await _member(tx, workspace_id, user_id)


async def change_member(tx: Transaction, by: By, workspace_id: UUID, user_id: UUID, wanted: ChangeMember) -> str:
    """``{"member": …}``; NotFound for who has no row of their own."""
    await access.workspace(tx, by.user.id, workspace_id, manage=True)
    changed = await tx.execute(
        "update task_workspace_memberships set role = $3 where workspace_id = $1 and user_id = $2",
        workspace_id, user_id, wanted.role,
    )  # fmt: skip
    if not changed:
        raise _no_member()
    await record(tx, by, "task_member_changed", workspace_id, member_id=str(user_id), role=wanted.role)
    return await _member(tx, workspace_id, user_id)


async def remove_member(tx: Transaction, by: By, workspace_id: UUID, user_id: UUID) -> None:
    """Take a membership away; what is assigned to the person stays so."""
    await access.workspace(tx, by.user.id, workspace_id, manage=True)
    removed = await tx.execute(
        "delete from task_workspace_memberships where workspace_id = $1 and user_id = $2", workspace_id, user_id
    )
    if not removed:
        raise _no_member()
    await record(tx, by, "task_member_removed", workspace_id, member_id=str(user_id))


async def person(tx: Transaction, wanted: WhichPerson) -> UUID:
    """The user that is meant, held until the transaction ends; NotFound when there is none."""
    found: UUID | None = await tx.fetchval(
        """
        select id from users where case when $1::uuid is null then lower(email) = $2 else id = $1 end
        for key share
        """,
        wanted.user_id,
        wanted.email,
    )
    if found is None:
        raise NotFound("There is no such user.")
    return found


async def _member(db: Executor, workspace_id: UUID, user_id: UUID) -> str:
    return await shapes.text(
        db,
        """
        select json_build_object('member', json_build_object({member}, 'created_at', iso(m.created_at)))::text
        from task_workspace_memberships m join users u on u.id = m.user_id
        where m.workspace_id = $1 and m.user_id = $2
        """,
        workspace_id,
        user_id,
    )


def _no_member() -> NotFound:
    return NotFound("This person is not a member of their own.", code="NOT_A_MEMBER")
