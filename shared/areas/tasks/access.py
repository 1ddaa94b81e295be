"""Who may see and who may change what in the task platform. Source: spec api-tasks §1, §2.

Staff see and work in every workspace; nobody else sees anything, member or not. To *manage* a workspace and its boards
(members, labels, deleting) takes an admin, or a member of staff whose membership says admin.

Every check is one statement that returns the row with what is above it and ``manages``; NotFound for what is not there
(or not for this person), Forbidden for what they may see but not manage, there or not. ``lock``: ``keep`` holds the row
until the transaction ends, so that nobody deletes it under what is added to it; ``change`` lets one at a time change
it; ``delete`` keeps everybody from adding to it. ``read`` checks and answers in one statement.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from shared.areas.tasks.shapes import sql
from shared.db.database import Executor, Record
from shared.errors import Forbidden, NotFound

Lock = Literal["", "keep", "change", "delete"]

_LOCKS: dict[Lock, str] = {"keep": "for key share of", "change": "for no key update of", "delete": "for update of"}

_ABOVE = {
    "w": "task_workspaces w",
    "b": "task_boards b join task_workspaces w on w.id = b.workspace_id",
    "g": "task_groups g join task_boards b on b.id = g.board_id join task_workspaces w on w.id = b.workspace_id",
}
_ABOVE["i"] = "task_items i join " + _ABOVE["g"].replace("task_groups g", "task_groups g on g.id = i.group_id")
_ABOVE["s"] = "task_subitems s join " + _ABOVE["i"].replace("task_items i", "task_items i on i.id = s.parent_item_id")
_WHO = sql("""
    join users u on u.id = $2 and u.role in {staff}
    left join task_workspace_memberships m on m.workspace_id = w.id and m.user_id = u.id
""")


def _select(alias: str, columns: str) -> str:
    manages = "u.role <> 'team' or coalesce(m.role = 'admin', false) as manages"
    return " ".join(("select", columns, ",", manages, "from", _ABOVE[alias], _WHO, "where", f"{alias}.id = $1"))


_WORKSPACE = _select("w", "w.id, w.name")
_BOARD = _select("b", "b.id, b.workspace_id, b.name, b.description, b.board_prefix")
_GROUP = _select("g", "g.id, g.board_id, g.name, b.workspace_id, b.board_prefix")
_ITEM = _select(
    "i",
    """i.id, i.group_id, i.name, i.status, i.due_date, i.is_voicemail, i.needs_attention, i.updated_at, i.archived_at,
    g.board_id, b.workspace_id""",
)
_SUBITEM = _select(
    "s", "s.id, s.parent_item_id, s.name, s.status, s.due_date, s.archived_at, g.board_id, b.workspace_id"
)


async def workspace(
    db: Executor, user_id: UUID, workspace_id: UUID, *, manage: bool = False, lock: Lock = ""
) -> Record:
    """id, name, manages."""
    return await _row(db, "workspace", user_id, workspace_id, manage, lock)


async def board(db: Executor, user_id: UUID, board_id: UUID, *, manage: bool = False, lock: Lock = "") -> Record:
    """id, workspace_id, name, description, board_prefix, manages."""
    return await _row(db, "board", user_id, board_id, manage, lock)


async def group(db: Executor, user_id: UUID, group_id: UUID, *, manage: bool = False, lock: Lock = "") -> Record:
    """id, board_id, name, workspace_id, board_prefix, manages."""
    return await _row(db, "group", user_id, group_id, manage, lock)


async def item(db: Executor, user_id: UUID, item_id: UUID, *, manage: bool = False, lock: Lock = "") -> Record:
    """An item, archived ones too: its columns, board_id, workspace_id, manages."""
    return await _row(db, "item", user_id, item_id, manage, lock)


async def subitem(db: Executor, user_id: UUID, subitem_id: UUID, *, manage: bool = False, lock: Lock = "") -> Record:
    """A subitem, archived ones too: its columns, board_id, workspace_id, manages."""
    return await _row(db, "subitem", user_id, subitem_id, manage, lock)


Kind = Literal["workspace", "board", "group", "item", "subitem"]
_OF: dict[Kind, tuple[str, str]] = {
    "workspace": (_WORKSPACE, "w"),
    "board": (_BOARD, "b"),
    "group": (_GROUP, "g"),
    "item": (_ITEM, "i"),
    "subitem": (_SUBITEM, "s"),
}


async def read(db: Executor, kind: Kind, user_id: UUID, row_id: UUID, statement: str, *values: object) -> str:
    """The JSON text that *statement* makes of ``seen``, the row of *row_id* as its check returns it.

    *statement*: ``select …::text from seen`` in ``shapes.sql``'s form, its own values from ``$3`` on; it may begin
    with further common table expressions.
    """
    select, _ = _OF[kind]
    found: str | None = await db.fetchval(
        " ".join(("with seen as (", select, ")", sql(statement))), row_id, user_id, *values
    )
    if found is None:
        raise _missing(kind)
    return found


async def _row(db: Executor, kind: Kind, user_id: UUID, row_id: UUID, manage: bool, lock: Lock) -> Record:
    select, alias = _OF[kind]
    row = await db.fetchrow(f"{select} {_LOCKS[lock]} {alias}" if lock else select, row_id, user_id)
    if row is None:
        if manage and not await db.fetchval("select role <> 'team' from users where id = $1", user_id):
            raise Forbidden(f"Only admins may do this to a {kind}.")
        raise _missing(kind)
    if manage and not row["manages"]:
        raise Forbidden(f"Only admins may do this to a {kind}.")
    return row


def _missing(kind: Kind) -> NotFound:
    return NotFound(f"There is no such {kind}.")
