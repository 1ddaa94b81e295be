"""What boards were worked on and what is billed, over a range of days. Source: spec api-tasks §8.

Time counts on its work date; items and updates by their moments, with days as the agency's time zone has them. Time of
archived and of deleted items is billed like any other. Each report is one statement, whose JSON PostgreSQL makes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.areas.tasks import shapes
from shared.areas.tasks.time_rules import BillingReport, Report, moments
from shared.db.database import Executor
from shared.errors import TooLarge

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


async def boards(db: Executor, asked: Report, zone: ZoneInfo) -> str:
    """A row of counts for each board there is, as a JSON list; by workspace and name."""
    first, after = moments(asked.start_date, asked.end_date, zone)
    return await shapes.text(
        db,
        """
        with board as (
            select b.id, b.name, w.name as workspace_name
            from task_boards b join task_workspaces w on w.id = b.workspace_id where b.id = any($1)
        ), item as materialized (
            select i.id, g.board_id, i.status, i.needs_attention, i.is_voicemail, i.archived_at,
                   ($2::timestamptz is null or i.updated_at >= $2)
                       and ($3::timestamptz is null or i.updated_at < $3) as updated,
                   ($2::timestamptz is null or i.created_at >= $2)
                       and ($3::timestamptz is null or i.created_at < $3) as created
            from task_groups g join task_items i on i.group_id = g.id where g.board_id = any($1)
        ), counted as (
            select b.id, count(i.id) as total, jsonb_build_object({counters}) - 'total' as counts,
                   count(i.id) filter (where i.updated) as updated, count(i.id) filter (where i.created) as created
            from board b
            left join item i on i.board_id = b.id and i.archived_at is null
            left join task_labels l on l.board_id = b.id and l.text_key = lower(btrim(i.status))
            group by b.id
        ), discussed as (
            select i.board_id, count(*) as updates from item i join task_updates u on u.item_id = i.id
            where i.archived_at is null
              and ($2::timestamptz is null or u.created_at >= $2) and ($3::timestamptz is null or u.created_at < $3)
            group by i.board_id
        ), spent as (
            select e.board_id, sum(e.time_spent_minutes) as minutes from (
                select i.board_id, e.time_spent_minutes, e.work_date
                from item i join task_time_entries e on e.item_id = i.id
                union all
                select e.board_id, e.time_spent_minutes, e.work_date
                from task_time_entries e where e.board_id = any($1) and e.item_id is null
            ) e
            where ($4::date is null or e.work_date >= $4) and ($5::date is null or e.work_date <= $5)
            group by e.board_id
        )
        select coalesce(jsonb_agg(c.counts || jsonb_build_object(
            'board_id', b.id, 'board_name', b.name, 'workspace_name', b.workspace_name, 'total_items', c.total,
            'items_updated_in_range', c.updated, 'items_created_in_range', c.created,
            'updates_in_range', coalesce(d.updates, 0), 'time_minutes_in_range', coalesce(s.minutes, 0)
        ) order by b.workspace_name, b.name, b.id), '[]')::text
        from board b join counted c on c.id = b.id
        left join discussed d on d.board_id = b.id left join spent s on s.board_id = b.id
        """,
        list(asked.board_ids), first, after, asked.start_date, asked.end_date,
    )  # fmt: skip


_DELETED_STATUS = "Deleted"
MOST_ITEMS = 5_000
"""Items of one answer: Cloud Run takes 32 MiB."""


async def billing(db: Executor, asked: BillingReport) -> tuple[str, int]:
    """The items with time in the range and their entries, as a JSON list, and how many such items there are.

    TooLarge, instead of a bill with a part missing, when nobody asked for a page and there are more than MOST_ITEMS.
    """
    row = await db.fetchrow(
        shapes.sql("""
        with spent as (
            select e.id, e.work_date, e.time_spent_minutes, e.billable_minutes, i.id as told_id, i.name, i.status,
                   i.due_date, g.name as group_name, g.board_id
            from task_groups g join task_items i on i.group_id = g.id join task_time_entries e on e.item_id = i.id
            where g.board_id = any($1)
            union all
            select e.id, e.work_date, e.time_spent_minutes, e.billable_minutes, e.former_item_id, e.item_name, $4,
                   null, '', e.board_id
            from task_time_entries e where e.item_id is null and e.board_id = any($1)
        ), items as (
            select s.told_id, s.name, s.status, s.due_date, s.group_name, s.board_id, array_agg(s.id) as entries,
                   sum(s.time_spent_minutes) as total_minutes, sum(s.billable_minutes) as billable_minutes
            from spent s
            where ($2::date is null or s.work_date >= $2) and ($3::date is null or s.work_date <= $3)
            group by 1, 2, 3, 4, 5, 6
        ), page as (
            select i.*, b.name as board_name, w.name as workspace_name,
                   row_number() over (order by w.name, b.name, i.group_name, i.name, i.told_id) as place
            from items i join task_boards b on b.id = i.board_id join task_workspaces w on w.id = b.workspace_id
            order by place offset $5 limit $6
        )
        select (select count(*) from items) as total, coalesce(json_agg(json_build_object(
            'item_id', p.told_id, 'item_name', p.name, 'status', p.status, 'due_date', p.due_date,
            'group_name', p.group_name, 'board_id', p.board_id, 'board_name', p.board_name,
            'workspace_name', p.workspace_name, 'time_entries', (
                select json_agg(json_build_object(
                    'entry_id', e.id, 'item_id', p.told_id, 'time_spent_minutes', e.time_spent_minutes,
                    'billable_minutes', e.billable_minutes, 'is_billable', e.is_billable,
                    'work_category', e.work_category, 'description', e.description, 'work_date', e.work_date,
                    'created_at', iso(e.created_at), 'user_name', {name}
                ) order by e.work_date desc, e.created_at desc, e.id)
                from task_time_entries e left join users u on u.id = e.user_id where e.id = any(p.entries)),
            'total_minutes', p.total_minutes, 'billable_minutes', p.billable_minutes,
            'entry_count', cardinality(p.entries)
        ) order by p.place), '[]')::text as items
        from page p
        """),
        list(asked.board_ids), asked.start_date, asked.end_date, _DELETED_STATUS, asked.offset,
        asked.limit or MOST_ITEMS,
    )  # fmt: skip
    assert row is not None, "an aggregate has one row"
    if asked.limit is None and row["total"] - asked.offset > MOST_ITEMS:
        raise TooLarge(
            "This report is too large: choose fewer boards or days, or ask for pages.", code="REPORT_TOO_LARGE"
        )
    return row["items"], row["total"]
