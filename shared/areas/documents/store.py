"""SQL over documents. A client's rows are reached only together with whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.db.database import Executor, Record

_DOC = """
    'id', d.id, 'label', coalesce(d.label, d.name, ''), 'name', coalesce(d.name, ''), 'url', d.url,
    'type', coalesce(d.type, 'client'), 'origin', coalesce(d.origin, 'client'),
    'review_status', coalesce(d.review_status, 'none'), 'review_requested_at', iso(d.review_requested_at),
    'viewed_at', iso(d.viewed_at)
"""
_ROW = f"{_DOC}, 'user_id', d.user_id, 'created_at', iso(d.created_at), 'created_by', d.created_by"
_SHARED = """
    'id', s.id, 'label', s.label, 'name', s.name, 'url', s.url, 'description', s.description,
    'sort_order', coalesce(s.sort_order, 0), 'created_at', iso(s.created_at)
"""
_SHARED_ADMIN = f"{_SHARED}, 'created_by', s.created_by, 'updated_at', iso(s.updated_at)"
_ORDER = "coalesce(s.sort_order, 0), s.created_at desc, s.id"


async def list_of(db: Executor, owner_id: UUID, defaults: Sequence[dict[str, Any]], message: str | None = None) -> str:
    """``{"docs": […]}`` as JSON text: the default ones as given, then the client's, newest first."""
    text: str = await db.fetchval(
        f"""
        select (jsonb_strip_nulls(jsonb_build_object('message', $3::text)) || jsonb_build_object('docs', $2::jsonb || (
            select coalesce(jsonb_agg(jsonb_build_object({_DOC}) order by d.created_at desc, d.id), '[]')
            from documents d where d.user_id = $1)))::text
        """,  # noqa: S608  the columns are ours
        owner_id,
        list(defaults),
        message,
    )
    return text


async def insert(
    db: Executor,
    owner_id: UUID,
    files: Sequence[tuple[str, str, str]],
    *,
    origin: str,
    created_by: UUID | None,
    for_review: bool = False,
) -> list[Record]:
    """Documents of (label, name, url), all new: id, label and ``row`` (§DocRow) of each."""
    return await db.fetch(
        f"""
        with d as (
            insert into documents (user_id, label, name, url, origin, type, created_by, review_status,
                review_requested_at)
            select $1, f.label, f.name, f.url, $5, 'client', $6, case when $7 then 'pending' else 'none' end,
                   case when $7 then now() end
            from unnest($2::text[], $3::text[], $4::text[]) as f (label, name, url)
            returning *
        )
        select d.id, d.label, json_build_object({_ROW}) as row from d
        """,  # noqa: S608  the columns are ours
        owner_id, [file[0] for file in files], [file[1] for file in files], [file[2] for file in files],
        origin, created_by, for_review,
    )  # fmt: skip


async def delete(db: Executor, owner_id: UUID, doc_id: UUID, *, origin: str | None) -> Record | None:
    """Delete a client's document (of *origin*, if given; never a default one); its url."""
    return await db.fetchrow(
        """
        delete from documents where id = $2 and user_id = $1 and coalesce(type, 'client') <> 'default'
            and ($3::text is null or coalesce(origin, 'client') = $3)
        returning url
        """,
        owner_id,
        doc_id,
        origin,
    )


async def mark_viewed(db: Executor, owner_id: UUID, doc_id: UUID) -> Record | None:
    """Mark a document viewed if its review is pending: (label, changed); None when the client has none of this id."""
    return await db.fetchrow(
        """
        with changed as (
            update documents set review_status = 'viewed', viewed_at = now()
            where id = $2 and user_id = $1 and review_status = 'pending' returning id
        )
        select coalesce(d.label, d.name, 'a document') as label, exists (select from changed) as changed
        from documents d where d.id = $2 and d.user_id = $1
        """,
        owner_id,
        doc_id,
    )


async def set_review(db: Executor, owner_id: UUID, doc_id: UUID, *, pending: bool) -> Record | None:
    """Ask for a review or clear it: id, label, and whether this changed anything; None without such a document."""
    return await db.fetchrow(
        """
        update documents d set review_status = case when $3 then 'pending' else 'none' end,
            review_requested_at = case when not $3 then null when before.review_status = 'pending'
                                       then d.review_requested_at else now() end,
            viewed_at = null
        from (select id, review_status from documents where id = $2 and user_id = $1 for update) before
        where d.id = before.id
        returning d.id, coalesce(d.label, d.name, 'a document') as label,
                  before.review_status is distinct from d.review_status as changed
        """,
        owner_id,
        doc_id,
        pending,
    )


async def person(db: Executor, user_id: UUID) -> Record | None:
    return await db.fetchrow(
        "select id, email, first_name, trim(first_name || ' ' || last_name) as name, role from users where id = $1",
        user_id,
    )


async def list_shared(db: Executor) -> str:
    """``{"shared_docs": […]}`` as JSON text."""
    text: str = await db.fetchval(
        f"""
        select json_build_object('shared_docs',
            coalesce(json_agg(json_build_object({_SHARED}) order by {_ORDER}), '[]'))::text
        from shared_documents s
        """  # noqa: S608  the columns are ours
    )
    return text


async def list_shared_admin(db: Executor) -> str:
    text: str = await db.fetchval(
        f"""
        select json_build_object('shared_docs', coalesce(json_agg(json_build_object({_SHARED_ADMIN},
            'creator_first_name', u.first_name, 'creator_last_name', u.last_name, 'creator_email', u.email
        ) order by {_ORDER}), '[]'))::text
        from shared_documents s left join users u on u.id = s.created_by
        """  # noqa: S608  the columns are ours
    )
    return text


async def insert_shared(db: Executor, files: Sequence[tuple[str, str, str, str | None]], *, created_by: UUID) -> str:
    """New shared documents of (label, name, url, description); §SharedDoc of each as a JSON list."""
    text: str = await db.fetchval(
        f"""
        with s as (
            insert into shared_documents (label, name, url, description, created_by)
            select f.label, f.name, f.url, f.description, $5
            from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as f (label, name, url, description)
            returning *
        )
        select json_agg(json_build_object({_SHARED_ADMIN}))::text from s
        """,  # noqa: S608  the columns are ours
        [file[0] for file in files], [file[1] for file in files], [file[2] for file in files],
        [file[3] for file in files], created_by,
    )  # fmt: skip
    return text


async def edit_shared(
    db: Executor, doc_id: UUID, *, label: str | None, description: str | None, sort_order: int | None
) -> str | None:
    """§SharedDoc as it is now, as JSON text; None when there is none."""
    text: str | None = await db.fetchval(
        f"""
        update shared_documents s set label = coalesce($2, label), description = $3,
            sort_order = coalesce($4, sort_order), updated_at = now()
        where id = $1 returning json_build_object({_SHARED_ADMIN})::text
        """,  # noqa: S608  the columns are ours
        doc_id,
        label,
        description,
        sort_order,
    )
    return text


async def delete_shared(db: Executor, doc_id: UUID) -> str | None:
    url: str | None = await db.fetchval("delete from shared_documents where id = $1 returning url", doc_id)
    return url


async def reorder_shared(db: Executor, places: Sequence[tuple[UUID, int]]) -> int:
    return await db.execute(
        """
        update shared_documents s set sort_order = p.place, updated_at = now()
        from unnest($1::uuid[], $2::int[]) as p (id, place) where s.id = p.id
        """,
        [place[0] for place in places],
        [place[1] for place in places],
    )
