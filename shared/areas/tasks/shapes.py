"""The shapes of spec api-tasks §1 as JSON that PostgreSQL makes, and statements that answer with it."""

from __future__ import annotations

from functools import cache
from typing import Final

from shared.db.database import Executor

STAFF: Final = "('superadmin', 'admin', 'editor', 'team')"
"""Roles that see tasks, as a list in SQL; ``editor`` is an admin by its old name."""

_PARTS: Final = {
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
    "assignee": """json_build_object('user_id', u.id, 'email', u.email, 'first_name', u.first_name,
        'last_name', u.last_name, 'avatar_url', u.avatar_url, 'user_role', u.role)""",
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
