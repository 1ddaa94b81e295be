"""What people keep about leads: pipeline stages, tags, notes and saved views. Every statement names the owner.

Lists come back as JSON text that PostgreSQL made; a single row likewise. Notes and tags are kept by the call's CTM id,
so that they find their call again after a reload.
"""

from __future__ import annotations

from uuid import UUID

from shared.areas.leads import store
from shared.areas.leads.models import AddNote, CreateStage, CreateTag, SaveView, TagCall, UpdateStage
from shared.db.database import Executor, Transaction
from shared.errors import Invalid, NotFound

NO_CALL = "There is no such call."
DEFAULT_TAG_COLOUR = "#6366f1"
DEFAULT_STAGES = (
    ("New Lead", "#6366f1"),
    ("Contacted", "#0ea5e9"),
    ("Qualified", "#8b5cf6"),
    ("Proposal Sent", "#f59e0b"),
    ("Won", "#22c55e"),
    ("Lost", "#ef4444"),
)

_STAGE = """json_build_object('id', s.id, 'owner_user_id', s.owner_user_id, 'name', s.name, 'color', s.color,
    'position', s.position, 'is_won_stage', s.is_won_stage, 'is_lost_stage', s.is_lost_stage,
    'created_at', iso(s.created_at), 'updated_at', iso(s.updated_at))"""
_TAG = """json_build_object('id', t.id, 'owner_user_id', t.owner_user_id, 'name', t.name, 'color', t.color,
    'created_at', iso(t.created_at))"""
_NOTE = """json_build_object('id', n.id, 'owner_user_id', n.owner_user_id, 'call_id', n.call_id,
    'author_id', n.author_id, 'note_type', n.note_type, 'body', n.body, 'metadata', n.metadata,
    'created_at', iso(n.created_at), 'first_name', u.first_name, 'last_name', u.last_name, 'author_email', u.email,
    'author_name', coalesce(nullif(btrim(concat_ws(' ', u.first_name, u.last_name)), ''), u.email, 'Unknown'))"""
_VIEW = """json_build_object('id', v.id, 'owner_user_id', v.owner_user_id, 'name', v.name, 'filters', v.filters,
    'is_default', v.is_default, 'created_at', iso(v.created_at), 'updated_at', iso(v.updated_at))"""


async def _one(db: Executor, *parts: str, values: tuple[object, ...]) -> str | None:
    found: str | None = await db.fetchval(" ".join(parts), *values)
    return found


async def _require_call(db: Executor, owner: UUID, call_id: str) -> None:
    if not await store.exists(db, owner, call_id):
        raise NotFound(NO_CALL)


async def _lock_owner(tx: Transaction, owner: UUID) -> None:
    """One at a time for each owner, until the transaction ends."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('lead board ' || $1::uuid::text, 0))", owner)


# Stages


async def stages(db: Executor, owner: UUID) -> str | None:
    """The owner's stages by position, as a JSON list; None when there are none yet."""
    return await _one(
        db,
        "select json_agg(", _STAGE, "order by s.position, s.created_at)::text",
        "from lead_pipeline_stages s where s.owner_user_id = $1",
        values=(owner,),
    )  # fmt: skip


async def create_default_stages(tx: Transaction, owner: UUID) -> None:
    """Give an owner without stages the six that everybody starts with; of two at once, one does."""
    await _lock_owner(tx, owner)
    names, colours = zip(*DEFAULT_STAGES, strict=True)
    await tx.execute(
        """
        insert into lead_pipeline_stages (owner_user_id, name, color, position, is_won_stage, is_lost_stage)
        select $1, name, color, place - 1, name = 'Won', name = 'Lost'
        from unnest($2::text[], $3::text[]) with ordinality as stage (name, color, place)
        where not exists (select from lead_pipeline_stages where owner_user_id = $1)
        """,
        owner, list(names), list(colours),
    )  # fmt: skip


async def create_stage(tx: Transaction, owner: UUID, stage: CreateStage) -> str:
    await _lock_owner(tx, owner)
    made = await _one(
        tx,
        """with s as (
            insert into lead_pipeline_stages (owner_user_id, name, color, position, is_won_stage, is_lost_stage)
            values ($1, $2, $3, coalesce($4, (
                select coalesce(max(position) + 1, 0) from lead_pipeline_stages where owner_user_id = $1)), $5, $6)
            returning *
        ) select""", _STAGE, "::text from s",
        values=(owner, stage.name, stage.color, stage.position, stage.is_won_stage, stage.is_lost_stage),
    )  # fmt: skip
    assert made is not None, "an insert returns its row"
    return made


async def update_stage(tx: Transaction, owner: UUID, stage_id: UUID, change: UpdateStage) -> str:
    if not change.model_dump(exclude_none=True):
        raise Invalid("There is nothing to change.", code="NOTHING_TO_CHANGE")
    changed = await _one(
        tx,
        """with s as (
            update lead_pipeline_stages set name = coalesce($3, name), color = coalesce($4, color),
                position = coalesce($5, position), is_won_stage = coalesce($6, is_won_stage),
                is_lost_stage = coalesce($7, is_lost_stage), updated_at = now()
            where owner_user_id = $1 and id = $2 returning *
        ) select""", _STAGE, "::text from s",
        values=(
            owner, stage_id, change.name, change.color, change.position, change.is_won_stage, change.is_lost_stage
        ),
    )  # fmt: skip
    if changed is None:
        raise NotFound("There is no such stage.")
    return changed


async def delete_stage(tx: Transaction, owner: UUID, stage_id: UUID) -> None:
    """Delete a stage; calls in it lose it (the foreign key empties theirs)."""
    if not await tx.execute("delete from lead_pipeline_stages where owner_user_id = $1 and id = $2", owner, stage_id):
        raise NotFound("There is no such stage.")


async def require_stage(db: Executor, owner: UUID, stage_id: UUID) -> None:
    if not await db.fetchval(
        "select true from lead_pipeline_stages where owner_user_id = $1 and id = $2", owner, stage_id
    ):
        raise NotFound("There is no such stage.")


# Notes


async def notes(db: Executor, owner: UUID, call_id: str) -> str:
    found = await _one(
        db,
        "select coalesce(json_agg(", _NOTE, "order by n.created_at desc, n.id), '[]')::text",
        "from lead_notes n left join users u on u.id = n.author_id where n.owner_user_id = $1 and n.call_id = $2",
        values=(owner, call_id),
    )  # fmt: skip
    assert found is not None, "an aggregate has one row"
    return found


async def add_note(tx: Transaction, owner: UUID, author: UUID, call_id: str, note: AddNote) -> str:
    await _require_call(tx, owner, call_id)
    made = await _one(
        tx,
        """with n as (
            insert into lead_notes (owner_user_id, call_id, author_id, note_type, body, metadata)
            values ($1, $2, $3, $4, $5, $6) returning *
        ) select""", _NOTE, "::text from n left join users u on u.id = n.author_id",
        values=(owner, call_id, author, note.note_type, note.body, note.metadata),
    )  # fmt: skip
    assert made is not None, "an insert returns its row"
    return made


async def delete_note(tx: Transaction, owner: UUID, call_id: str, note_id: UUID) -> None:
    deleted = await tx.execute(
        "delete from lead_notes where owner_user_id = $1 and call_id = $2 and id = $3", owner, call_id, note_id
    )
    if not deleted:
        raise NotFound("There is no such note.")


# Tags


async def tags(db: Executor, owner: UUID) -> str:
    found = await _one(
        db,
        "select coalesce(json_agg(", _TAG, "order by lower(t.name)), '[]')::text",
        "from lead_tags t where t.owner_user_id = $1",
        values=(owner,),
    )  # fmt: skip
    assert found is not None, "an aggregate has one row"
    return found


async def create_tag(tx: Transaction, owner: UUID, tag: CreateTag) -> str:
    """Create a tag; one of that name gets the new colour, if one is given."""
    made = await _one(
        tx,
        """with t as (
            insert into lead_tags as known (owner_user_id, name, color) values ($1, $2, coalesce($3, $4))
            on conflict (owner_user_id, name) do update set color = coalesce($3, known.color) returning *
        ) select""", _TAG, "::text from t",
        values=(owner, tag.name, tag.color, DEFAULT_TAG_COLOUR),
    )  # fmt: skip
    assert made is not None, "an upsert returns its row"
    return made


async def delete_tag(tx: Transaction, owner: UUID, tag_id: UUID) -> None:
    """Delete a tag, also from its calls; nothing happens when there is none."""
    await tx.execute("delete from lead_tags where owner_user_id = $1 and id = $2", owner, tag_id)


async def call_tags(db: Executor, owner: UUID, call_id: str) -> str:
    found = await _one(
        db,
        "select coalesce(json_agg(", _TAG, "order by lower(t.name)), '[]')::text",
        "from call_log_tags c join lead_tags t on t.id = c.tag_id where t.owner_user_id = $1 and c.call_id = $2",
        values=(owner, call_id),
    )  # fmt: skip
    assert found is not None, "an aggregate has one row"
    return found


async def tag_call(tx: Transaction, owner: UUID, call_id: str, wanted: TagCall) -> str:
    """Put a tag, named by id or by name, on a call; a name that is not there yet is created. Twice is once."""
    if wanted.tag_id is None and wanted.tag_name is None:
        raise Invalid.field("tag_id", "give tag_id or tag_name")
    await _require_call(tx, owner, call_id)
    if wanted.tag_id is None:
        tag_id = await tx.fetchval(
            """
            insert into lead_tags as known (owner_user_id, name, color) values ($1, $2, coalesce($3, $4))
            on conflict (owner_user_id, name) do update set name = known.name returning id
            """,
            owner, wanted.tag_name, wanted.tag_color, DEFAULT_TAG_COLOUR,
        )  # fmt: skip
    else:
        tag_id = await tx.fetchval(
            "select id from lead_tags where owner_user_id = $1 and id = $2 for share", owner, wanted.tag_id
        )
    if tag_id is None:
        raise NotFound("There is no such tag.")
    await tx.execute(
        "insert into call_log_tags (call_id, tag_id) values ($1, $2) on conflict do nothing", call_id, tag_id
    )
    return await call_tags(tx, owner, call_id)


async def untag_call(tx: Transaction, owner: UUID, call_id: str, tag_id: UUID) -> None:
    """Take a tag off a call; NotFound for a call that is not the owner's. A tag that is not on it is off it."""
    await _require_call(tx, owner, call_id)
    await tx.execute(
        """
        delete from call_log_tags c using lead_tags t
        where t.id = c.tag_id and t.owner_user_id = $1 and c.call_id = $2 and c.tag_id = $3
        """,
        owner, call_id, tag_id,
    )  # fmt: skip


# Saved views


async def views(db: Executor, owner: UUID) -> str:
    found = await _one(
        db,
        "select coalesce(json_agg(", _VIEW, "order by v.created_at desc, v.id), '[]')::text",
        "from lead_saved_views v where v.owner_user_id = $1",
        values=(owner,),
    )  # fmt: skip
    assert found is not None, "an aggregate has one row"
    return found


async def save_view(tx: Transaction, owner: UUID, view: SaveView) -> str:
    """Save a view; the default one is the only default."""
    await _lock_owner(tx, owner)
    if view.is_default:
        await tx.execute(
            "update lead_saved_views set is_default = false where owner_user_id = $1 and is_default", owner
        )
    made = await _one(
        tx,
        """with v as (
            insert into lead_saved_views (owner_user_id, name, filters, is_default) values ($1, $2, $3, $4) returning *
        ) select""", _VIEW, "::text from v",
        values=(owner, view.name, view.filters, view.is_default),
    )  # fmt: skip
    assert made is not None, "an insert returns its row"
    return made


async def delete_view(tx: Transaction, owner: UUID, view_id: UUID) -> None:
    if not await tx.execute("delete from lead_saved_views where owner_user_id = $1 and id = $2", owner, view_id):
        raise NotFound("There is no such view.")
