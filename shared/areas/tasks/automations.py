"""Automations as people keep them: a board's, everybody's, and the log of their runs. Source: spec api-tasks §9.

A rule is checked whole before it is kept, so none is stored that could not run; what a person leaves out of a change
is taken from what is stored.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from shared.areas.tasks import access
from shared.areas.tasks import automation_rules as rules
from shared.areas.tasks.audit import By, record
from shared.areas.tasks.automation_rules import ActionType, TriggerType
from shared.areas.text import blank_is_none
from shared.db.database import Executor, Record, Transaction
from shared.errors import Forbidden, Invalid, NotFound

NO_AUTOMATION = "There is no such automation."
Scope = Literal["board", "global"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

_COMMON = """'id', a.id, 'name', a.name, 'trigger_type', a.trigger_type, 'trigger_config', a.trigger_config,
    'action_type', a.action_type, 'action_config', a.action_config, 'is_active', a.is_active,
    'created_by', a.created_by, 'created_at', iso(a.created_at)"""
_JSON = {
    "board": f"json_build_object('board_id', a.board_id, {_COMMON})",
    "global": f"json_build_object({_COMMON})",
}
_TABLE = {"board": "task_board_automations", "global": "task_global_automations"}
_RUN = """json_build_object('id', r.id, 'scope', r.scope, 'automation_id', r.automation_id, 'board_id', r.board_id,
    'item_id', r.item_id, 'trigger_type', r.trigger_type, 'trigger_fingerprint', r.trigger_fingerprint,
    'status', r.status, 'error', r.error, 'meta', r.meta, 'ran_at', iso(r.ran_at))"""


class CreateAutomation(BaseModel):
    name: Name
    trigger_type: TriggerType
    trigger_config: dict[str, Any] | None = None
    action_type: ActionType
    action_config: dict[str, Any] | None = None
    is_active: bool = True


class ChangeAutomation(BaseModel):
    """What is to be different. A new type without a configuration of its own begins with an empty one."""

    name: Name | None = None
    trigger_type: TriggerType | None = None
    trigger_config: dict[str, Any] | None = None
    action_type: ActionType | None = None
    action_config: dict[str, Any] | None = None
    is_active: bool | None = None


class RunsQuery(BaseModel):
    scope: Annotated[Scope | None, BeforeValidator(blank_is_none)] = None
    board_id: Annotated[UUID | None, BeforeValidator(blank_is_none)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


def _sql(*parts: str) -> str:
    return " ".join(parts)


async def of_board(db: Executor, reader: UUID, board_id: UUID) -> str:
    """A board's automations, newest first, as a JSON list; NotFound when there is no such board."""
    return await access.read(
        db, "board", reader, board_id,
        _sql("select (select coalesce(json_agg(", _JSON["board"], """order by a.created_at desc, a.id), '[]')
            from task_board_automations a where a.board_id = seen.id)::text from seen"""),
    )  # fmt: skip


async def for_all(db: Executor) -> str:
    """The automations of every board, newest first, as a JSON list."""
    found: str = await db.fetchval(
        _sql(
            "select coalesce(json_agg(", _JSON["global"], """order by a.created_at desc, a.id), '[]')::text
            from task_global_automations a""",
        )
    )  # fmt: skip
    return found


async def create_for_board(tx: Transaction, board_id: UUID, told: CreateAutomation, *, by: UUID) -> str:
    """Keep a rule of a board, as JSON; Forbidden for somebody who does not manage the board."""
    await access.board(tx, by, board_id, manage=True, lock="keep")
    kept: str = await tx.fetchval(
        _sql(
            """with a as (
                insert into task_board_automations (board_id, name, trigger_type, trigger_config, action_type,
                                                    action_config, is_active, created_by)
                values ($1, $2, $3, $4, $5, $6, $7, $8) returning *
            ) select""", _JSON["board"], "::text from a",
        ),
        board_id, *_checked(told.model_dump()).values(), by,
    )  # fmt: skip
    return kept


async def create_for_all(db: Executor, told: CreateAutomation, *, by: UUID) -> str:
    """Keep a rule of every board, as JSON."""
    kept: str = await db.fetchval(
        _sql(
            """with a as (
                insert into task_global_automations (name, trigger_type, trigger_config, action_type, action_config,
                                                     is_active, created_by)
                values ($1, $2, $3, $4, $5, $6, $7) returning *
            ) select""", _JSON["global"], "::text from a",
        ),
        *_checked(told.model_dump()).values(), by,
    )  # fmt: skip
    return kept


async def change(tx: Transaction, by: By, automation_id: UUID, told: ChangeAutomation) -> tuple[str, Scope]:
    """Change a rule, which is checked as a whole; its JSON, and whether it is a board's."""
    given = {name: value for name, value in told.model_dump(exclude_unset=True).items() if value is not None}
    if not given:
        raise Invalid("Nothing to change.")
    scope, row = await _locked(tx, by, automation_id)
    for part in ("trigger", "action"):
        if given.get(f"{part}_type", row[f"{part}_type"]) != row[f"{part}_type"]:
            given.setdefault(f"{part}_config", {})
    merged = {name: given.get(name, row[name]) for name in CreateAutomation.model_fields}
    if given.keys() - {"name", "is_active"} or given.get("is_active"):
        merged = _checked(merged)  # an old rule that could never run can be renamed and switched off as it is
    changed: str = await tx.fetchval(
        _sql(
            "with a as (update", _TABLE[scope], """set name = $2, trigger_type = $3, trigger_config = $4,
                action_type = $5, action_config = $6, is_active = $7 where id = $1 returning *
            ) select""", _JSON[scope], "::text from a",
        ),
        automation_id, *merged.values(),
    )  # fmt: skip
    return changed, scope


async def remove(tx: Transaction, by: By, automation_id: UUID) -> Scope:
    """Delete a rule; whether it was a board's. Its runs stay, and the trail keeps who deleted it."""
    scope, row = await _locked(tx, by, automation_id)
    await tx.execute(_sql("delete from", _TABLE[scope], "where id = $1"), automation_id)
    await record(tx, by, "task_automation_deleted", automation_id, name=row["name"], scope=scope)
    return scope


async def runs(db: Executor, reader: UUID, query: RunsQuery) -> str:
    """The newest runs, as a JSON list; NotFound for runs of a board that there is not."""
    if query.scope == "board" and query.board_id is not None:
        await access.board(db, reader, query.board_id)
    found: str = await db.fetchval(
        _sql(
            "select coalesce(json_agg(", _RUN, """order by r.ran_at desc, r.id), '[]')::text from (
                select * from task_automation_runs
                where ($1::text is null or scope = $1) and ($2::uuid is null or board_id = $2)
                order by ran_at desc, id limit $3
            ) r""",
        ),
        query.scope, query.board_id, query.limit,
    )  # fmt: skip
    return found


def _checked(told: dict[str, Any]) -> dict[str, Any]:
    """A rule's columns, in the order of ``CreateAutomation``: its configurations in the form that is kept."""
    trigger = rules.trigger_of(told["trigger_type"], told["trigger_config"] or {})
    action = rules.action_of(told["action_type"], told["action_config"] or {})
    return told | {
        "trigger_config": trigger.model_dump(mode="json", exclude_none=True),
        "action_config": action.model_dump(mode="json", exclude_none=True),
    }


async def _locked(tx: Transaction, by: By, automation_id: UUID) -> tuple[Scope, Record]:
    """A rule, locked, and where it was found, a board's first; Forbidden for somebody who may not manage it."""
    scopes: tuple[Scope, ...] = ("board", "global")
    for scope in scopes:
        row = await tx.fetchrow(_sql("select * from", _TABLE[scope], "where id = $1 for update"), automation_id)
        if row is None:
            continue
        if scope == "board":
            await access.board(tx, by.user.id, row["board_id"], manage=True)
        elif not by.user.is_admin:
            raise Forbidden("Only admins may change an automation of every board.")
        return scope, row
    raise NotFound(NO_AUTOMATION)
