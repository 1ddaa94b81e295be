"""Subitems: the steps of an item. No automation listens to them. Source: spec api-tasks §5."""

from __future__ import annotations

from uuid import UUID

from shared.areas.tasks import access, shapes
from shared.areas.tasks.models import ChangeSubitem, CreateSubitem
from shared.db.database import Executor, Transaction


async def list_of_item(db: Executor, user_id: UUID, item_id: UUID) -> str:
    """``{"subitems": […]}``, not archived, newest first."""
    return await access.read(
        db, "item", user_id, item_id,
        """
        select json_build_object('subitems', (
            select coalesce(json_agg({subitem} order by s.created_at desc, s.id), '[]')
            from task_subitems s where s.parent_item_id = seen.id and s.archived_at is null))::text from seen
        """,
    )  # fmt: skip


async def create(tx: Transaction, user_id: UUID, item_id: UUID, wanted: CreateSubitem) -> str:
    await access.item(tx, user_id, item_id, lock="keep")
    return await shapes.text(
        tx,
        """
        with s as (
            insert into task_subitems (parent_item_id, name, status, due_date) values ($1, $2, $3, $4) returning *
        ) select json_build_object('subitem', {subitem})::text from s
        """,
        item_id, wanted.name, wanted.status, wanted.due_date,
    )  # fmt: skip


async def change(tx: Transaction, user_id: UUID, subitem_id: UUID, wanted: ChangeSubitem) -> str:
    """``{"subitem": …}``; an archived one too."""
    subitem = await access.subitem(tx, user_id, subitem_id, lock="change")
    given = wanted.given
    return await shapes.text(
        tx,
        """
        with s as (
            update task_subitems set name = $2, status = $3, due_date = $4 where id = $1 returning *
        ) select json_build_object('subitem', {subitem})::text from s
        """,
        subitem_id, *(given.get(name, subitem[name]) for name in ("name", "status", "due_date")),
    )  # fmt: skip


async def archive(tx: Transaction, user_id: UUID, subitem_id: UUID) -> str:
    """``{"ok": true, "archived_at"}``; an archived one stays as it is."""
    await access.subitem(tx, user_id, subitem_id, lock="change")
    return await shapes.text(
        tx,
        """
        update task_subitems set archived_at = coalesce(archived_at, now()),
            archived_by = case when archived_at is null then $2 else archived_by end
        where id = $1 returning json_build_object('ok', true, 'archived_at', iso(archived_at))::text
        """,
        subitem_id,
        user_id,
    )


async def restore(tx: Transaction, user_id: UUID, subitem_id: UUID) -> str:
    await access.subitem(tx, user_id, subitem_id, lock="change")
    return await shapes.text(
        tx,
        """
        with s as (
            update task_subitems set archived_at = null, archived_by = null where id = $1 returning *
        ) select json_build_object('subitem', {subitem})::text from s
        """,
        subitem_id,
    )
