"""Time logged on items: use cases and SQL. It outlives its item, since it is billed. Source: spec api-tasks §8."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from shared.areas.tasks import access, shapes
from shared.areas.tasks.audit import By, record
from shared.areas.tasks.time_rules import Billed, ChangeTime, LogTime, billed, rebilled
from shared.db.database import Executor, Record, Transaction
from shared.errors import Forbidden, Invalid, NotFound

_ENTRY = """json_build_object('id', e.id, 'item_id', e.item_id, 'user_id', e.user_id,
    'time_spent_minutes', e.time_spent_minutes, 'billable_minutes', e.billable_minutes, 'description', e.description,
    'work_category', e.work_category, 'is_billable', e.is_billable, 'work_date', e.work_date,
    'created_at', iso(e.created_at), 'user_name', {name})"""


def _sql(*parts: str) -> str:
    return " ".join(parts)


async def listed(db: Executor, reader: UUID, item_id: UUID) -> str:
    """An item's entries, newest first, as a JSON list; NotFound when there is no such item."""
    return await access.read(
        db, "item", reader, item_id,
        _sql("select (select coalesce(json_agg(", _ENTRY, """order by e.created_at desc, e.id), '[]')
            from task_time_entries e left join users u on u.id = e.user_id where e.item_id = seen.id)::text
            from seen"""),
    )  # fmt: skip


async def log(tx: Transaction, item_id: UUID, told: LogTime, *, by: UUID, today: date) -> str:
    """Keep time that a person spent, as JSON; Invalid when more is billed than was spent."""
    await access.item(tx, by, item_id, lock="keep")
    sums = billed(told.time_spent_minutes, told.billable_minutes, told.is_billable)
    return await shapes.text(
        tx,
        _sql(
            """with e as (
                insert into task_time_entries (item_id, user_id, time_spent_minutes, billable_minutes, is_billable,
                                               description, work_category, work_date)
                values ($1, $2, $3, $4, $5, $6, $7, $8) returning *
            ) select""", _ENTRY, "::text from e left join users u on u.id = e.user_id",
        ),
        item_id, by, sums.spent, sums.billable, sums.is_billable, told.description, told.work_category,
        told.work_date or today,
    )  # fmt: skip


async def change(tx: Transaction, by: By, entry_id: UUID, told: ChangeTime) -> str:
    """Correct an entry of one's own, or as an admin anybody's, as JSON; the trail keeps what it said before."""
    if not told.model_fields_set & ChangeTime.model_fields.keys():
        raise Invalid("Nothing to change.")
    row = await _own(tx, by, entry_id)
    before = Billed(row["time_spent_minutes"], row["billable_minutes"], row["is_billable"])
    sums = rebilled(before, told)
    given: dict[str, Any] = told.model_dump(exclude_unset=True)
    await record(tx, by, "task_time_changed", entry_id, **_was(row))
    return await shapes.text(
        tx,
        _sql(
            """with e as (
                update task_time_entries set time_spent_minutes = $2, billable_minutes = $3, is_billable = $4,
                    description = $5, work_category = $6, work_date = $7
                where id = $1 returning *
            ) select""", _ENTRY, "::text from e left join users u on u.id = e.user_id",
        ),
        entry_id, sums.spent, sums.billable, sums.is_billable, given.get("description", row["description"]),
        given.get("work_category", row["work_category"]), told.work_date or row["work_date"],
    )  # fmt: skip


async def remove(tx: Transaction, by: By, entry_id: UUID) -> None:
    """Delete an entry of one's own, or as an admin anybody's; the trail keeps what it said."""
    row = await _own(tx, by, entry_id)
    await tx.execute("delete from task_time_entries where id = $1", entry_id)
    await record(tx, by, "task_time_deleted", entry_id, **_was(row))


def _was(row: Record) -> dict[str, Any]:
    """What an entry billed, for the trail."""
    return {
        "item_id": row["item_id"] and str(row["item_id"]),
        "of_user_id": row["user_id"] and str(row["user_id"]),
        "work_date": row["work_date"].isoformat(),
        "time_spent_minutes": row["time_spent_minutes"],
        "billable_minutes": row["billable_minutes"],
    }


async def _own(tx: Transaction, by: By, entry_id: UUID) -> Record:
    """The entry, locked; Forbidden when it is a colleague's."""
    row = await tx.fetchrow("select * from task_time_entries where id = $1 for update", entry_id)
    if row is None:
        raise NotFound("There is no such time entry.")
    if not by.user.is_admin and row["user_id"] != by.user.id:
        raise Forbidden("Only an admin may change a colleague's time.")
    return row
