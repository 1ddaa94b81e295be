"""Somebody's day, told by the AI once a day and kept, from their own tasks and mentions. Source: spec api-tasks §10.

A day is the agency's. When the AI cannot be reached the same is told from the data alone, and not kept; the AI is asked
again in the background, so that the next look finds its overview.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from shared.areas.tasks import prompts, rules, thinking
from shared.areas.tasks.prompts import Day, Mention, Overview, Said, Task
from shared.areas.tasks.shapes import STAFF
from shared.areas.tasks.thinking import BUSY, ENOUGH, WITHHELD, Thinking, Withheld
from shared.areas.tasks.time_rules import today
from shared.db import counters
from shared.db.database import Executor, Record
from shared.errors import TooManyRequests, TryLater

LOOKS_BACK: Final = timedelta(days=60)
MENTIONS: Final = 20  # told to the dashboard, of each direction
MENTION_LENGTH: Final = 200
_CANDIDATES: Final = 100  # updates that may be mentions
_TASKS: Final = 200

_OVERVIEW: Final = """json_build_object('id', o.id, 'user_id', o.user_id, 'overview_date', o.overview_date,
    'summary', o.summary, 'todo_items', o.todo_items, 'pending_mentions', o.pending_mentions,
    'unanswered_mentions', o.unanswered_mentions, 'provider', o.provider, 'model', o.model,
    'generated_at', iso(o.generated_at))"""


class OverviewQuery(BaseModel):
    """``refresh``: anything but an empty text asks for a new overview."""

    refresh: str = ""


class WriteOverview(BaseModel):
    """The work of ``tasks_write_overview``: ask the AI again about somebody's day."""

    user_id: UUID
    day: date


@dataclass(frozen=True, slots=True)
class Material:
    """A day for the AI, and the mentions as the dashboard lists them."""

    day: Day
    pending: list[dict[str, Any]]
    unanswered: list[dict[str, Any]]


async def read(world: Thinking, user_id: UUID, *, refresh: bool) -> str:
    """``{overview, cached, …}`` as JSON: today's kept overview, or with *refresh* a new one.

    ``ai_error`` with its reason marks one that the AI did not write. TooManyRequests when somebody refreshes too often.
    """
    day = today(world.zone, world.now())
    kept = None if refresh else await _kept(world.db, user_id, day)
    if kept is not None:
        return f'{{"overview":{kept},"cached":true}}'
    try:
        await counters.spend(world.db, (thinking.ASKED, str(user_id)))
    except TooManyRequests:
        if refresh:
            raise
        return _plain(user_id, await _material(world, user_id), ENOUGH, world.now())
    material = await _material(world, user_id)
    try:
        overview = await _write(world, user_id, material)
    except Withheld as error:
        world.warn("overview_withheld", reason=str(error))
        return _plain(user_id, material, WITHHELD, world.now())
    except TryLater as error:
        world.warn("overview_failed", reason=str(error))
        async with world.transaction() as tx:
            work = WriteOverview(user_id=user_id, day=day).model_dump(mode="json")
            await tx.enqueue("tasks_write_overview", work, not_before=world.now() + thinking.AGAIN_AFTER)
        return _plain(user_id, material, BUSY, world.now())
    return f'{{"overview":{overview},"cached":false}}'


async def write_later(world: Thinking, work: WriteOverview) -> None:
    """Write the overview that could not be written when somebody asked, unless there is one or its day is over.

    Raises TryLater.
    """
    if work.day != today(world.zone, world.now()) or await _kept(world.db, work.user_id, work.day) is not None:
        return
    known = " ".join(("select exists (select from users where id = $1 and role in", STAFF, ")"))
    if not await world.db.fetchval(known, work.user_id):
        return
    try:
        await _write(world, work.user_id, await _material(world, work.user_id))
    except Withheld as error:
        world.warn("overview_withheld", reason=str(error))


async def _kept(db: Executor, user_id: UUID, day: date) -> str | None:
    found: str | None = await db.fetchval(
        " ".join(
            ("select", _OVERVIEW, "::text from task_ai_daily_overviews o where o.user_id = $1 and o.overview_date = $2")
        ),
        user_id, day,
    )  # fmt: skip
    return found


async def _write(world: Thinking, user_id: UUID, material: Material) -> str:
    """Have the AI write an overview, and keep it; its JSON. Raises TryLater and Withheld."""
    prompt = prompts.overview_prompt(material.day)
    answer = await thinking.ask(
        world,
        prompt,
        temperature=prompts.TEMPERATURE,
        max_tokens=prompts.OVERVIEW_TOKENS,
        json_schema=prompts.OVERVIEW_SCHEMA,
    )
    written = prompts.read_overview(answer).as_json()
    kept: str = await world.db.fetchval(
        " ".join(
            (
                """with o as (
                    insert into task_ai_daily_overviews (user_id, overview_date, summary, todo_items, pending_mentions,
                                                         unanswered_mentions, provider, model, generated_at)
                    values ($1, $2, $3, $4, $5, $6, 'vertex', $7, now())
                    on conflict (user_id, overview_date) do update set
                        summary = excluded.summary, todo_items = excluded.todo_items,
                        pending_mentions = excluded.pending_mentions,
                        unanswered_mentions = excluded.unanswered_mentions, provider = excluded.provider,
                        model = excluded.model, generated_at = excluded.generated_at
                    returning *
                ) select""", _OVERVIEW, "::text from o",
            )
        ),
        user_id, material.day.today, json.dumps(written), written["top_priorities"], material.pending,
        material.unanswered, world.model,
    )  # fmt: skip
    return kept


def _plain(user_id: UUID, material: Material, reason: str, now: datetime) -> str:
    overview: Overview = prompts.plain_overview(material.day)
    told = overview.as_json()
    answer = {
        "overview": {
            "id": None,
            "user_id": str(user_id),
            "overview_date": material.day.today.isoformat(),
            "summary": json.dumps(told),
            "todo_items": told["top_priorities"],
            "pending_mentions": material.pending,
            "unanswered_mentions": material.unanswered,
            "provider": "fallback",
            "model": None,
            "generated_at": _iso(now),
        },
        "cached": False,
        "ai_error": True,
        "ai_error_reason": reason,
    }
    return json.dumps(answer)


async def _material(world: Thinking, user_id: UUID) -> Material:
    now = world.now()
    local = now.astimezone(world.zone)
    me = await world.db.fetchrow("select email::text, first_name from users where id = $1", user_id)
    assert me is not None, "somebody who is signed in has an account"
    since = now - LOOKS_BACK
    pending = await _pending(world.db, user_id, me["email"], since)
    unanswered = await _unanswered(world.db, user_id, me["email"], since)
    day = Day(
        name=me["first_name"],
        today=local.date(),
        hour=local.hour,
        tasks=await _tasks(world.db, user_id, since),
        pending=[_told(row) for row in pending],
        unanswered=[_told(row) for row in unanswered],
    )
    return Material(
        day,
        [{**_listed(row), "author_name": row["author"]} for row in pending],
        [_listed(row) for row in unanswered],
    )


async def _tasks(db: Executor, user_id: UUID, since: datetime) -> list[Task]:
    """Somebody's live items that are not done, the first due first, with the newest that was said about each."""
    rows = await db.fetch(
        """
        select i.name, b.name as board, i.status, i.due_date, i.needs_attention, said.updates
        from task_item_assignees a
        join task_items i on i.id = a.item_id
        join task_groups g on g.id = i.group_id
        join task_boards b on b.id = g.board_id
        cross join lateral (
            select coalesce(jsonb_agg(jsonb_build_object('author', author, 'content', content, 'at', iso(at))
                                      order by at), '[]') as updates
            from (
                select u.created_at as at, left(u.content, 400) as content,
                       coalesce(nullif(btrim(concat_ws(' ', p.first_name, p.last_name)), ''), 'Unknown') as author
                from task_updates u left join users p on p.id = u.user_id
                where u.item_id = i.id and u.created_at >= $2
                order by u.created_at desc, u.id limit 2
            ) newest
        ) said
        where a.user_id = $1 and i.archived_at is null and not coalesce((
            select l.is_done_state from task_labels l
            where l.board_id = b.id and l.text_key = lower(btrim(i.status))
        ), lower(btrim(i.status)) = 'done')
        order by i.due_date nulls last, i.updated_at desc, i.id limit $3
        """,
        user_id, since, _TASKS,
    )  # fmt: skip
    return [
        Task(
            name=row["name"],
            board=row["board"],
            status=row["status"],
            due_date=row["due_date"],
            needs_attention=row["needs_attention"],
            latest=[Said(**{**said, "at": datetime.fromisoformat(said["at"])}) for said in row["updates"]],
        )
        for row in rows
    ]


async def _pending(db: Executor, user_id: UUID, email: str, since: datetime) -> list[Record]:
    """Updates of others that mention somebody, who has said nothing on the item since; newest first."""
    rows = await db.fetch(
        """
        select u.id, u.item_id, i.name as item, u.content, u.created_at as at,
               coalesce(nullif(btrim(concat_ws(' ', p.first_name, p.last_name)), ''), 'Unknown') as author
        from task_updates u join task_items i on i.id = u.item_id join users p on p.id = u.user_id
        where strpos(u.content, '@') > 0 and u.created_at >= $3 and u.user_id <> $1 and i.archived_at is null
          and strpos(lower(u.content), '@' || lower($2)) > 0
          and not exists (
              select from task_updates mine
              where mine.item_id = u.item_id and mine.user_id = $1 and mine.created_at > u.created_at
          )
        order by u.created_at desc, u.id limit $4
        """,
        user_id, email, since, _CANDIDATES,
    )  # fmt: skip
    return [row for row in rows if email.lower() in rules.mentions(row["content"])][:MENTIONS]


async def _unanswered(db: Executor, user_id: UUID, email: str, since: datetime) -> list[Record]:
    """Updates of somebody's that mention a colleague who has said nothing on the item since; newest first."""
    rows = await db.fetch(
        """
        select u.id, u.item_id, i.name as item, u.content, u.created_at as at, 'this person' as author,
               array(select distinct lower(p.email::text) from task_updates later join users p on p.id = later.user_id
                     where later.item_id = u.item_id and later.created_at > u.created_at) as replied
        from task_updates u join task_items i on i.id = u.item_id
        where strpos(u.content, '@') > 0 and u.created_at >= $2 and u.user_id = $1 and i.archived_at is null
        order by u.created_at desc, u.id limit $3
        """,
        user_id, since, _CANDIDATES,
    )  # fmt: skip
    asked = {row["id"]: set(rules.mentions(row["content"])) - {email.lower()} for row in rows}
    known = await db.fetch(
        "select lower(email::text) as email from users where lower(email::text) = any($1)",
        sorted(set().union(*asked.values())),
    )
    people = {row["email"] for row in known}
    return [row for row in rows if (asked[row["id"]] & people) - set(row["replied"])][:MENTIONS]


def _told(row: Record) -> Mention:
    return Mention(item=row["item"], author=row["author"], content=row["content"], at=row["at"])


def _listed(row: Record) -> dict[str, Any]:
    return {
        "update_id": str(row["id"]),
        "item_id": str(row["item_id"]),
        "item_name": row["item"],
        "content": row["content"][:MENTION_LENGTH],
        "created_at": _iso(row["at"]),
    }


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
