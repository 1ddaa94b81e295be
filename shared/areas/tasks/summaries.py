"""One kept summary for each item: read with its age, made by the AI on request. Source: spec api-tasks §10.

When the AI cannot be reached the newest updates stand in, word for word, saying so; the AI is asked again in the
background, and its summary takes their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from shared.areas.tasks import access, prompts, thinking
from shared.areas.tasks.prompts import Item, Said
from shared.areas.tasks.thinking import BUSY, WITHHELD, Thinking, Withheld
from shared.db import counters
from shared.db.database import Executor
from shared.errors import NotFound, TryLater

VERTEX: Final = "vertex"
FALLBACK: Final = "fallback"

_SUMMARY = """json_build_object('item_id', s.item_id, 'summary', s.summary, 'provider', s.provider, 'model', s.model,
    'generated_by', s.generated_by, 'generated_at', iso(s.generated_at), 'source_meta', s.source_meta)"""


class Summarise(BaseModel):
    """The work of ``tasks_summarise_item``: ask the AI again about an item whose updates stand in for a summary."""

    item_id: UUID
    asked_by: UUID


@dataclass(frozen=True, slots=True)
class Material:
    """An item as the AI is told of it, and what that says of the summary's age."""

    item: Item
    meta: dict[str, Any]


async def read(db: Executor, reader: UUID, item_id: UUID) -> str:
    """``{summary, is_stale, latest_update_at}``: stale when an update came after those that the summary knows."""
    return await access.read(
        db, "item", reader, item_id,
        " ".join((
            "select json_build_object('summary', (select", _SUMMARY, """from task_item_ai_summaries s
                where s.item_id = seen.id), 'is_stale', coalesce((
                    select s.source_meta ->> 'latest_update_at' is distinct from iso(newest.at)
                    from task_item_ai_summaries s where s.item_id = seen.id), false),
                'latest_update_at', iso(newest.at))::text
            from seen, lateral (select max(created_at) as at from task_updates where item_id = seen.id) newest""",
        )),
    )  # fmt: skip


async def make(world: Thinking, item_id: UUID, *, by: UUID) -> str:
    """Have the AI summarise an item, and keep that, or its newest updates when it does not; the summary as JSON.

    TooManyRequests when a person asks too often.
    """
    await access.item(world.db, by, item_id)
    await counters.spend(world.db, (thinking.ASKED, str(by)))
    material = await _material(world.db, item_id)
    if material is None:
        raise NotFound("There is no such item.")
    try:
        return await _keep(
            world.db, item_id, by, material, await _ask(world, material), provider=VERTEX, model=world.model
        )
    except Withheld as error:
        world.warn("summary_withheld", reason=str(error))
        return await _stand_in(world.db, item_id, by, material, WITHHELD)
    except TryLater as error:
        world.warn("summary_failed", reason=str(error))
        async with world.transaction() as tx:
            kept = await _stand_in(tx, item_id, by, material, BUSY)
            work = Summarise(item_id=item_id, asked_by=by).model_dump(mode="json")
            await tx.enqueue("tasks_summarise_item", work, not_before=world.now() + thinking.AGAIN_AFTER)
        return kept


async def replace_stand_in(world: Thinking, work: Summarise) -> str | None:
    """The AI's summary of an item whose updates stand in for one; None when there is none to be had or needed.

    Raises TryLater.
    """
    provider = await world.db.fetchval("select provider from task_item_ai_summaries where item_id = $1", work.item_id)
    material = await _material(world.db, work.item_id) if provider == FALLBACK else None
    if material is None:
        return None
    try:
        answer = await _ask(world, material)
    except Withheld as error:
        world.warn("summary_withheld", reason=str(error))
        return await _stand_in(world.db, work.item_id, work.asked_by, material, WITHHELD)
    return await _keep(world.db, work.item_id, work.asked_by, material, answer, provider=VERTEX, model=world.model)


async def _ask(world: Thinking, material: Material) -> str:
    prompt = prompts.item_prompt(material.item)
    answer = await thinking.ask(world, prompt, temperature=prompts.TEMPERATURE, max_tokens=prompts.SUMMARY_TOKENS)
    return prompts.read_summary(answer)


async def _material(db: Executor, item_id: UUID) -> Material | None:
    row = await db.fetchrow(
        """
        select i.name, i.status, i.due_date, iso(i.updated_at) as updated_at, iso(n.latest) as latest, n.updates
        from task_items i, lateral (
            select max(created_at) as latest, count(*)::int as updates from task_updates where item_id = i.id
        ) n where i.id = $1
        """,
        item_id,
    )
    if row is None:
        return None
    updates = await db.fetch(
        """
        select u.content, u.created_at as at,
               coalesce(nullif(btrim(concat_ws(' ', a.first_name, a.last_name)), ''), 'Unknown') as author
        from task_updates u left join users a on a.id = u.user_id
        where u.item_id = $1 order by u.created_at desc, u.id limit $2
        """,
        item_id, prompts.UPDATES_TOLD,
    )  # fmt: skip
    said = [Said(author=u["author"], content=u["content"], at=u["at"]) for u in reversed(updates)]
    meta = {
        "latest_update_at": row["latest"],
        "update_count": row["updates"],
        "item_updated_at": row["updated_at"],
    }
    return Material(Item(name=row["name"], status=row["status"], due_date=row["due_date"], updates=said), meta)


async def _stand_in(db: Executor, item_id: UUID, by: UUID, material: Material, reason: str) -> str:
    told = Material(material.item, {**material.meta, "reason": reason})
    return await _keep(db, item_id, by, told, prompts.plain_summary(material.item), provider=FALLBACK, model=None)


async def _keep(
    db: Executor, item_id: UUID, by: UUID, material: Material, text: str, *, provider: str, model: str | None
) -> str:
    """Store a summary; updates never stand in for an AI's summary that knows them all. The stored one as JSON."""
    kept: str | None = await db.fetchval(
        " ".join(
            (
                """with kept as (
                    insert into task_item_ai_summaries as old (
                        item_id, summary, provider, model, generated_by, generated_at, source_meta)
                    select i.id, $2, $3, $4, (select id from users where id = $5), now(), $6
                    from task_items i where i.id = $1 for key share
                    on conflict (item_id) do update set
                        summary = excluded.summary, provider = excluded.provider, model = excluded.model,
                        generated_by = excluded.generated_by, generated_at = excluded.generated_at,
                        source_meta = excluded.source_meta
                    where excluded.provider = 'vertex' or old.provider <> 'vertex'
                       or old.source_meta ->> 'latest_update_at'
                          is distinct from excluded.source_meta ->> 'latest_update_at'
                    returning *
                ) select""", _SUMMARY, """::text from (
                    select * from kept
                    union all
                    select * from task_item_ai_summaries where item_id = $1 and not exists (select from kept)
                ) s""",
            )
        ),
        item_id, text, provider, model, by, material.meta,
    )  # fmt: skip
    if kept is None:
        raise NotFound("There is no such item.")
    return kept
