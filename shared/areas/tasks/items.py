"""Items: created in a group, changed, archived, restored. Every change is kept and told (``changes``).

What acts without a person (automations, schedules) takes ``locked`` and ``apply``; people come through the functions
that take their id, which check what they may do. Source: spec api-tasks §5, seeds DATA_FLOWS §5.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.areas.tasks import access, changes, rules, shapes
from shared.areas.tasks.changes import Actor, Change
from shared.areas.tasks.models import ChangeItem, CreateItem
from shared.db.database import Executor, Record, Transaction
from shared.errors import Conflict, Invalid

COLUMNS = ("name", "status", "due_date", "is_voicemail", "needs_attention", "group_id")


async def list_of_group(db: Executor, user_id: UUID, group_id: UUID) -> str:
    """``{"items": […]}`` of a group, not archived, newest change first."""
    return await access.read(
        db, "group", user_id, group_id,
        """
        select json_build_object('items', (
            select coalesce(json_agg({item} order by i.updated_at desc, i.created_at desc, i.id), '[]')
            from task_items i where i.group_id = seen.id and i.archived_at is null))::text from seen
        """,
    )  # fmt: skip


async def list_archived(db: Executor, user_id: UUID, board_id: UUID) -> str:
    """``{"items": […]}`` of a board's archived items, the last archived first."""
    return await access.read(
        db, "board", user_id, board_id,
        """
        select json_build_object('items', (
            select coalesce(json_agg({item} order by i.archived_at desc, i.id), '[]')
            from task_items i join task_groups g on g.id = i.group_id
            where g.board_id = seen.id and i.archived_at is not null))::text from seen
        """,
    )  # fmt: skip


async def list_changes(db: Executor, user_id: UUID, item_id: UUID) -> str:
    """``{"changes": [{at, user_id, user_name, origin, changes: [{what, old, new}]}]}``, the newest 200 first."""
    return await access.read(
        db, "item", user_id, item_id,
        """
        select json_build_object('changes', (
            select coalesce(json_agg(json_build_object('at', iso(c.at), 'user_id', c.user_id,
                'user_name', case when c.user_id is not null then {name} end, 'origin', c.origin,
                'changes', c.changes) order by c.at desc, c.id desc), '[]')
            from (select * from task_item_changes where item_id = seen.id order by at desc, id desc limit 200) c
            left join users u on u.id = c.user_id))::text from seen
        """,
    )  # fmt: skip


async def create(tx: Transaction, user_id: UUID, group_id: UUID, wanted: CreateItem) -> str:
    """``{"item": …}``, named with its board's prefix."""
    group = await access.group(tx, user_id, group_id, lock="keep")
    row = await tx.fetchrow(
        shapes.sql("""
        with i as (
            insert into task_items (group_id, name, status, due_date, is_voicemail, needs_attention, created_by)
            values ($1, $2, $3, $4, $5, $6, $7) returning *
        ) select i.id, json_build_object('item', {item})::text as answer from i
        """),
        group_id, rules.prefixed(wanted.name, group["board_prefix"]), wanted.status, wanted.due_date,
        wanted.is_voicemail, wanted.needs_attention, user_id,
    )  # fmt: skip
    assert row is not None, "an insert returns its row"
    await changes.record(tx, Actor(user_id), [(row["id"], group["board_id"], [Change(what="created")])])
    answer: str = row["answer"]
    return answer


async def change(tx: Transaction, user_id: UUID, item_id: UUID, wanted: ChangeItem) -> str:
    """Change what is given; ``{"item": …}``. Invalid for an archived item, Conflict when somebody was faster."""
    item = await access.item(tx, user_id, item_id, lock="change")
    if item["archived_at"] is not None:
        raise Invalid("This item is archived. Restore it first.", code="ITEM_ARCHIVED")
    if wanted.updated_at is not None and _to_ms(wanted.updated_at) != _to_ms(item["updated_at"]):
        raise Conflict("Somebody else has changed this item meanwhile.", code="CHANGED_MEANWHILE")
    given = wanted.given
    if isinstance(given.get("group_id"), UUID):
        await access.group(tx, user_id, wanted.group_id, lock="keep")
    await apply(tx, item, given, Actor(user_id))
    return await _answer(tx, item_id)


async def locked(tx: Transaction, item_id: UUID) -> Record | None:
    """An item that is not archived, with board_id and workspace_id, for ``apply``; None when it is gone."""
    return await tx.fetchrow(
        """
        select i.id, i.group_id, i.name, i.status, i.due_date, i.is_voicemail, i.needs_attention, i.updated_at,
               i.archived_at, g.board_id, b.workspace_id
        from task_items i join task_groups g on g.id = i.group_id join task_boards b on b.id = g.board_id
        where i.id = $1 and i.archived_at is null for no key update of i
        """,
        item_id,
    )


async def apply(tx: Transaction, item: Record, given: dict[str, Any], actor: Actor) -> bool:
    """Give a locked item new values of ``COLUMNS``; whether anything is otherwise now."""
    now = {name: given.get(name, item[name]) for name in COLUMNS}
    found = [
        Change(what=name, old=_told(item[name]), new=_told(now[name]))  # type: ignore[arg-type]
        for name in COLUMNS
        if now[name] != item[name]
    ]
    if not found:
        return False
    await tx.execute(
        """
        update task_items set name = $2, status = $3, due_date = $4, is_voicemail = $5, needs_attention = $6,
            group_id = $7, updated_at = now()
        where id = $1
        """,
        item["id"], *(now[name] for name in COLUMNS),
    )  # fmt: skip
    await changes.record(tx, actor, [(item["id"], item["board_id"], found)])
    return True


async def archive(tx: Transaction, user_id: UUID, item_id: UUID) -> str:
    """``{"ok": true, "archived_at"}``; an archived item stays as it is."""
    item = await access.item(tx, user_id, item_id, lock="change")
    if item["archived_at"] is None:
        await tx.execute(
            "update task_items set archived_at = now(), archived_by = $2, updated_at = now() where id = $1",
            item_id,
            user_id,
        )
        await changes.record(tx, Actor(user_id), [(item_id, item["board_id"], [Change(what="archived")])])
    return await shapes.text(
        tx,
        "select json_build_object('ok', true, 'archived_at', iso(archived_at))::text from task_items where id = $1",
        item_id,
    )


async def restore(tx: Transaction, user_id: UUID, item_id: UUID) -> str:
    """``{"item": …}``; an item that is not archived stays as it is."""
    item = await access.item(tx, user_id, item_id, lock="change")
    if item["archived_at"] is not None:
        await tx.execute(
            "update task_items set archived_at = null, archived_by = null, updated_at = now() where id = $1", item_id
        )
        await changes.record(tx, Actor(user_id), [(item_id, item["board_id"], [Change(what="restored")])])
    return await _answer(tx, item_id)


async def _answer(db: Executor, item_id: UUID) -> str:
    return await shapes.text(
        db, "select json_build_object('item', {item})::text from task_items i where i.id = $1", item_id
    )


def _to_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _told(value: object) -> str | bool | None:
    if value is None or isinstance(value, bool | str):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
