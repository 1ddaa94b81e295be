"""SQL over journeys, their steps and notes. Every statement names the owner, or a journey found by its owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.areas.journeys.rules import NewStep, State
from shared.db.database import Executor, Record

_IS_ARCHIVED = "(j.archived_at is not null or j.status = 'archived')"  # the old server could write either alone

# The dashboard finds a lead's journey by comparing lead_call_id with the call's id, which is CTM's.
_JOURNEY = """
    json_build_object(
        'id', j.id, 'owner_user_id', j.owner_user_id, 'lead_call_id', j.lead_call_key,
        'lead_call_key', j.lead_call_key, 'active_client_id', j.active_client_id, 'client_name', j.client_name,
        'client_phone', j.client_phone, 'client_email', j.client_email, 'symptoms', j.symptoms,
        'symptoms_redacted', j.symptoms_redacted, 'status', j.status, 'paused', j.paused,
        'next_action_at', iso(j.next_action_at), 'notes_summary', j.notes_summary, 'created_at', iso(j.created_at),
        'updated_at', iso(j.updated_at), 'archived_at', iso(j.archived_at), 'service_id', j.service_id,
        'parent_journey_id', j.parent_journey_id, 'service_name', sv.name, 'service_description', sv.description,
        'parent_journey_name', parent.client_name,
        'service', case when sv.id is not null then
            json_build_object('id', sv.id, 'name', sv.name, 'description', sv.description) end,
        'parent_journey', case when parent.id is not null then
            json_build_object('id', parent.id, 'client_name', parent.client_name) end,
        'steps', (
            select coalesce(json_agg(json_build_object('id', s.id, 'position', s.position, 'label', s.label,
                'channel', s.channel, 'message', s.message, 'offset_weeks', s.offset_weeks, 'due_at', iso(s.due_at),
                'completed_at', iso(s.completed_at), 'notes', s.notes) order by s.position, s.created_at, s.id), '[]')
            from client_journey_steps s where s.journey_id = j.id),
        'notes', (
            select coalesce(json_agg(json_build_object('id', n.id, 'author_id', n.author_id,
                'author_name',
                coalesce(nullif(btrim(concat_ws(' ', u.first_name, u.last_name)), ''), u.email, 'Unknown'),
                'body', n.body, 'created_at', iso(n.created_at)) order by n.created_at desc, n.id), '[]')
            from client_journey_notes n left join users u on u.id = n.author_id where n.journey_id = j.id)
    )
"""
_FROM = """
    from client_journeys j
    left join services sv on sv.id = j.service_id and sv.user_id = j.owner_user_id
    left join client_journeys parent
        on parent.id = j.parent_journey_id and parent.owner_user_id = j.owner_user_id
"""


async def lock_owner(db: Executor, owner: UUID) -> None:
    """Until the transaction ends, nobody else changes this owner's journeys and active clients."""
    await db.execute("select pg_advisory_xact_lock(hashtextextended('journeys ' || $1::uuid::text, 0))", owner)


async def journeys(
    db: Executor, owner: UUID, *, archived: bool | None, status: str | None, active_client: UUID | None
) -> str:
    """Journeys newest first, as a JSON list; *archived*: those in the archive, those outside of it, or (None) all."""
    text: str = await db.fetchval(
        f"""
        select coalesce(json_agg({_JOURNEY} order by j.created_at desc, j.id), '[]')::text {_FROM}
        where j.owner_user_id = $1 and ($2::bool is null or {_IS_ARCHIVED} = $2)
          and ($3::text is null or j.status = $3) and ($4::uuid is null or j.active_client_id = $4)
        """,
        owner, archived, status, active_client,
    )  # fmt: skip
    return text


async def journey(db: Executor, owner: UUID, journey_id: UUID) -> str | None:
    """A journey as JSON, also from the archive; None when there is none."""
    text: str | None = await db.fetchval(
        f"select {_JOURNEY}::text {_FROM} where j.owner_user_id = $1 and j.id = $2",
        owner,
        journey_id,
    )
    return text


async def find(db: Executor, owner: UUID, journey_id: UUID) -> Record | None:
    """What changing a journey needs to know of it: status, archived, client_phone, age."""
    return await db.fetchrow(
        f"""
        select j.id, j.status, {_IS_ARCHIVED} as archived, j.client_phone, j.symptoms, now() - j.created_at as age
        from client_journeys j where j.owner_user_id = $1 and j.id = $2
        """,  # noqa: S608  all parts are ours
        owner,
        journey_id,
    )


async def live_journey_of_lead(db: Executor, owner: UUID, call_id: str) -> UUID | None:
    found: UUID | None = await db.fetchval(
        f"""
        select j.id from client_journeys j where j.owner_user_id = $1 and j.lead_call_key = $2 and not {_IS_ARCHIVED}
        order by j.created_at desc, j.id limit 1
        """,  # noqa: S608  all parts are ours
        owner,
        call_id,
    )
    return found


async def insert(
    db: Executor, owner: UUID, *, lead: tuple[UUID, str] | None, state: State, columns: Mapping[str, Any]
) -> UUID:
    """A new journey; *lead* is its call's row and CTM id. The columns' names are ours, never a caller's."""
    row_id, key = lead or (None, None)
    names = "".join(f", {name}" for name in columns)
    values = "".join(f", ${index}" for index in range(6, 6 + len(columns)))
    created: UUID = await db.fetchval(
        f"""
        insert into client_journeys (owner_user_id, lead_call_id, lead_call_key, status, archived_at{names})
        values ($1, $2, $3, $4, case when $5 then now() end{values}) returning id
        """,  # noqa: S608  the columns are ours
        owner, row_id, key, state.status, state.archived, *columns.values(),
    )  # fmt: skip
    return created


async def set_columns(db: Executor, owner: UUID, journey_id: UUID, columns: Mapping[str, Any]) -> None:
    """Write columns, whose names are ours; without any, only the time of the change."""
    assignments = "".join(f"{name} = ${index}, " for index, name in enumerate(columns, start=3))
    await db.execute(
        f"update client_journeys set {assignments}updated_at = now() where owner_user_id = $1 and id = $2",  # noqa: S608
        owner,
        journey_id,
        *columns.values(),
    )


async def set_state(db: Executor, owner: UUID, journey_id: UUID, state: State) -> None:
    """Write status and archive; what was in the archive keeps the time when it came there."""
    await db.execute(
        """
        update client_journeys set status = $3, updated_at = now(),
            archived_at = case when $4 then coalesce(archived_at, now()) end
        where owner_user_id = $1 and id = $2
        """,
        owner, journey_id, state.status, state.archived,
    )  # fmt: skip


async def owns(db: Executor, owner: UUID, *, service: UUID | None, parent: UUID | None) -> tuple[bool, bool]:
    """Whether a service and a journey are the owner's; one that is None counts as theirs."""
    row = await db.fetchrow(
        """
        select $2::uuid is null or exists (select from services where id = $2 and user_id = $1) as service,
               $3::uuid is null or exists (select from client_journeys where id = $3 and owner_user_id = $1) as parent
        """,
        owner, service, parent,
    )  # fmt: skip
    assert row is not None, "a select without from has one row"
    return row["service"], row["parent"]


# Steps and notes


async def next_due(db: Executor, journey_id: UUID) -> datetime | None:
    """When the first of the steps that are not completed is due."""
    moment: datetime | None = await db.fetchval(
        "select min(due_at) from client_journey_steps where journey_id = $1 and completed_at is null", journey_id
    )
    return moment


async def has_steps(db: Executor, journey_id: UUID) -> bool:
    return bool(await db.fetchval("select exists (select from client_journey_steps where journey_id = $1)", journey_id))


async def has_step(db: Executor, journey_id: UUID, step_id: UUID) -> bool:
    return bool(
        await db.fetchval(
            "select true from client_journey_steps where journey_id = $1 and id = $2", journey_id, step_id
        )
    )


async def add_steps(db: Executor, journey_id: UUID, steps: Sequence[NewStep]) -> list[UUID]:
    """Append steps in their order; their ids. One that is not dated is due its weeks from now, or never for 0."""
    rows = await db.fetch(
        """
        insert into client_journey_steps (journey_id, position, label, channel, message, notes, offset_weeks, due_at)
        select $1, (select count(*) from client_journey_steps where journey_id = $1) + place - 1, label, channel,
               message, notes, round(weeks),
               case when dated then due_at when weeks > 0 then now() + weeks * interval '7 days' end
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::bool[], $8::timestamptz[])
            with ordinality as step (label, channel, message, notes, weeks, dated, due_at, place)
        order by place returning id
        """,
        journey_id,
        [step.label for step in steps],
        [step.channel or None for step in steps],
        [step.message or None for step in steps],
        [step.notes for step in steps],
        [step.weeks for step in steps],
        [step.dated for step in steps],
        [step.due_at for step in steps],
    )
    return [row["id"] for row in rows]


async def update_step(db: Executor, journey_id: UUID, step_id: UUID, columns: Mapping[str, Any]) -> None:
    """Write columns of a step; their names are ours, never a caller's."""
    if not columns:
        return
    assignments = ", ".join(f"{name} = ${index}" for index, name in enumerate(columns, start=3))
    await db.execute(
        f"update client_journey_steps set {assignments} where journey_id = $1 and id = $2",  # noqa: S608
        journey_id,
        step_id,
        *columns.values(),
    )


async def complete_step(db: Executor, journey_id: UUID, step_id: UUID, at: datetime | None) -> None:
    """Mark a step as completed *at* a time, else now; once it is, only a given time changes that."""
    await db.execute(
        """
        update client_journey_steps set completed_at = coalesce($3, completed_at, now())
        where journey_id = $1 and id = $2
        """,
        journey_id, step_id, at,
    )  # fmt: skip


async def delete_step(db: Executor, journey_id: UUID, step_id: UUID) -> bool:
    return bool(
        await db.execute("delete from client_journey_steps where journey_id = $1 and id = $2", journey_id, step_id)
    )


async def place_steps(db: Executor, journey_id: UUID, *, moved: UUID | None = None, to: int | None = None) -> None:
    """Number the steps from 0 without gaps, with the step *moved* at place *to*, or the last where that is beyond."""
    await db.execute(
        """
        with others as (
            select id, row_number() over (order by position, created_at, id) - 1 as place
            from client_journey_steps where journey_id = $1 and id is distinct from $2
        ), placed as (
            select id, place + ($2::uuid is not null and place >= $3)::int as place from others
            union all select $2, least($3::int, (select count(*) from others)) where $2::uuid is not null
        )
        update client_journey_steps s set position = p.place from placed p
        where s.journey_id = $1 and s.id = p.id and s.position <> p.place
        """,
        journey_id, moved, to,
    )  # fmt: skip


async def add_note(db: Executor, journey_id: UUID, author: UUID, body: str) -> None:
    await db.execute(
        "insert into client_journey_notes (journey_id, author_id, body) values ($1, $2, $3)", journey_id, author, body
    )


# The template


async def template(db: Executor, owner: UUID) -> list[dict[str, Any]] | None:
    """The owner's own template; None when they have none."""
    found: Any = await db.fetchval("select value from app_settings where key = $1", _template_key(owner))
    steps = found.get("steps") if isinstance(found, dict) else found
    return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else None


async def save_template(db: Executor, owner: UUID, steps: Sequence[Mapping[str, Any]]) -> None:
    await db.execute(
        """
        insert into app_settings (key, value) values ($1, $2)
        on conflict (key) do update set value = excluded.value, updated_at = now()
        """,
        _template_key(owner), list(steps),
    )  # fmt: skip


def _template_key(owner: UUID) -> str:
    return f"journey_template:{owner}"
