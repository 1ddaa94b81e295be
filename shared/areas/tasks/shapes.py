"""The shapes of spec api-tasks §1 as JSON that PostgreSQL makes, and statements that answer with it."""

from __future__ import annotations

from functools import cache
from typing import Final

from shared.db.database import Executor

STAFF: Final = "('superadmin', 'admin', 'editor', 'team')"
"""Roles that see tasks, as a list in SQL; ``editor`` is an admin by its old name."""

_PARTS: Final = {  # a part may hold later ones
    # Common table expressions about the items of one named live: who is assigned to each, how many updates it has and
    # how many minutes were spent on it. By an array of ids, which PostgreSQL always looks up in the index: so they cost
    # by the items told, not by all there are.
    "around_live": """assigned as materialized (
            select item_id, user_id from task_item_assignees where item_id = any(array(select id from live))
        ), person as materialized (
            select u.id, u.email, {person} as told from users u where u.id in (select user_id from assigned)
        ), people as (
            select a.item_id, json_agg(p.told order by p.email) as told
            from assigned a join person p on p.id = a.user_id group by a.item_id
        ), discussed as (
            select item_id, count(*) as updates from task_updates
            where item_id = any(array(select id from live)) group by item_id
        ), spent as (
            select item_id, sum(time_spent_minutes) as minutes from task_time_entries
            where item_id = any(array(select id from live)) group by item_id
        )""",
    "staff": STAFF,
    "workspace": """json_build_object('id', w.id, 'name', w.name, 'created_by', w.created_by,
        'created_at', iso(w.created_at))""",
    "board": """json_build_object('id', b.id, 'workspace_id', b.workspace_id, 'name', b.name,
        'description', b.description, 'board_prefix', b.board_prefix, 'created_by', b.created_by,
        'created_at', iso(b.created_at))""",
    "group": "json_build_object('id', g.id, 'board_id', g.board_id, 'name', g.name, 'order_index', g.order_index)",
    "item": """json_build_object('id', i.id, 'group_id', i.group_id, 'name', i.name, 'status', i.status,
        'due_date', i.due_date, 'is_voicemail', i.is_voicemail, 'needs_attention', i.needs_attention,
        'created_by', i.created_by, 'created_at', iso(i.created_at), 'updated_at', iso(i.updated_at),
        'archived_at', iso(i.archived_at), 'archived_by', i.archived_by)""",
    "subitem": """json_build_object('id', s.id, 'parent_item_id', s.parent_item_id, 'name', s.name,
        'status', s.status, 'due_date', s.due_date, 'created_at', iso(s.created_at),
        'archived_at', iso(s.archived_at), 'archived_by', s.archived_by)""",
    "person": """json_build_object('user_id', u.id, 'email', u.email, 'first_name', u.first_name,
        'last_name', u.last_name, 'avatar_url', u.avatar_url)""",
    # A member: the user u with their row m of the workspace, if they have one.
    "member": """'user_id', u.id, 'membership_role', {membership_role}, 'email', u.email,
        'first_name', u.first_name, 'last_name', u.last_name, 'user_role', u.role""",
    "membership_role": "coalesce(m.role, case u.role when 'team' then 'member' else 'admin' end)",
    "members": """from users u left join task_workspace_memberships m on m.workspace_id = seen.id and m.user_id = u.id
        where (m.user_id is not null or u.role in ('superadmin', 'admin', 'editor', 'team'))""",
    "assignee": """json_build_object('user_id', u.id, 'email', u.email, 'first_name', u.first_name,
        'last_name', u.last_name, 'avatar_url', u.avatar_url, 'user_role', u.role)""",
    # 'id', … for json_build_object, so that a list can add whose it is.
    "update": """'id', p.id, 'item_id', p.item_id, 'user_id', p.user_id, 'content', p.content,
        'created_at', iso(p.created_at)""",
    "file": """'id', f.id, 'item_id', f.item_id, 'update_id', f.update_id, 'uploaded_by', f.uploaded_by,
        'file_url', f.file_url, 'file_name', f.file_name, 'created_at', iso(f.created_at)""",
    "board_label": """json_build_object('id', l.id, 'board_id', l.board_id, 'label', l.label, 'color', l.color,
        'order_index', l.order_index, 'is_done_state', l.is_done_state, 'created_at', iso(l.created_at))""",
    "global_label": """json_build_object('id', l.id, 'label', l.label, 'color', l.color,
        'order_index', l.order_index, 'is_done_state', l.is_done_state, 'created_by', l.created_by,
        'created_at', iso(l.created_at))""",
    # A row of task_labels.
    "label": """case l.origin
        when 'board' then json_build_object('id', l.id, 'board_id', l.board_id, 'label', l.label, 'color', l.color,
            'order_index', l.order_index, 'is_done_state', l.is_done_state, 'created_at', iso(l.created_at),
            'is_global', false)
        when 'global' then json_build_object('id', l.id, 'label', l.label, 'color', l.color,
            'order_index', l.order_index, 'is_done_state', l.is_done_state, 'created_by', l.created_by,
            'created_at', iso(l.created_at), 'is_global', true)
        else json_build_object('id', l.id, 'label', l.label, 'color', l.color, 'order_index', l.order_index,
            'is_done_state', l.is_done_state) end""",
    # How many items i there are of each kind; l is the row of task_labels that an item's status names, if there is one.
    "counters": """'total', count(i.id),
        'todo', count(i.id) filter (where lower(btrim(i.status)) in ('to do', 'todo')),
        'working', count(i.id) filter (where lower(btrim(i.status)) in ('working on it', 'working')),
        'blocked', count(i.id) filter (where lower(btrim(i.status)) in ('stuck', 'blocked')),
        'done', count(i.id) filter (where coalesce(l.is_done_state, lower(btrim(i.status)) = 'done')),
        'needs_attention_status',
            count(i.id) filter (where lower(btrim(i.status)) in ('needs attention', 'needs_attention')),
        'needs_attention_flag', count(i.id) filter (where i.needs_attention),
        'voicemail', count(i.id) filter (where i.is_voicemail)""",
    "name": "coalesce(nullif(btrim(concat_ws(' ', u.first_name, u.last_name)), ''), u.email, 'Unknown')",
}


@cache
def sql(statement: str) -> str:
    """A statement whose ``{item}``, ``{person}``, … are the shapes of rows named i, u, …; never anything else."""
    for name, part in _PARTS.items():
        statement = statement.replace(f"{{{name}}}", part)
    return statement


async def text(db: Executor, statement: str, *values: object) -> str:
    """The one JSON text of a statement (of ``sql``'s form) that always has one row."""
    found: str | None = await db.fetchval(sql(statement), *values)
    assert found is not None, "this statement always has a row"
    return found
