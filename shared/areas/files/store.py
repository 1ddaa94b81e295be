"""SQL over the kept files, and over the old rows that name a path of the old server's upload folder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.areas.files.models import Place
from shared.db.database import Executor, Record


async def insert(db: Executor, place: Place, files: Sequence[tuple[UUID, str, str, int]]) -> datetime:
    """Announce files (id, name, content type, bytes) before their bytes are put; the time of it."""
    rows = await db.fetch(
        """
        insert into stored_files (id, name, content_type, size_bytes, folder, audience, owner_id, created_by)
        select f.id, f.name, f.content_type, f.size, $5, $6, $7, $8
        from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) as f (id, name, content_type, size)
        returning created_at
        """,
        [file[0] for file in files], [file[1] for file in files], [file[2] for file in files],
        [file[3] for file in files], place.folder, place.audience, place.owner_id, place.created_by,
    )  # fmt: skip
    created_at: datetime = rows[0]["created_at"]
    return created_at


async def attach(db: Executor, file_ids: Sequence[UUID]) -> int:
    return await db.execute("update stored_files set attached_at = now() where id = any($1)", list(file_ids))


async def remove(db: Executor, file_ids: Sequence[UUID]) -> list[str]:
    """Forget files; the names of their objects."""
    rows = await db.fetch(
        "delete from stored_files where id = any($1) returning folder || '/' || id as object", list(file_ids)
    )
    return [row["object"] for row in rows]


async def remove_of_owner(db: Executor, owner_id: UUID) -> list[str]:
    rows = await db.fetch(
        "delete from stored_files where owner_id = $1 returning folder || '/' || id as object", owner_id
    )
    return [row["object"] for row in rows]


async def remove_left_behind(db: Executor, *, limit: int) -> list[str]:
    """Forget files that no row took within an hour, those whose owner is gone, and those whose row went with a form."""
    rows = await db.fetch(
        """
        delete from stored_files where id in (
            select id from stored_files
            where attached_at is null and created_at < now() - interval '1 hour'
               or audience = 'owner' and owner_id is null
               or folder = 'form-pdfs' and attached_at is not null
                  and not exists (select from form_pdf_artifacts a where a.file_id = stored_files.id)
               or folder = 'form-sources' and attached_at is not null
                  and not exists (select from form_ai_runs r where r.file_id = stored_files.id)
               or folder = 'form-files' and attached_at is not null
                  and not exists (select from form_submission_files s where s.file_id = stored_files.id)
            order by created_at limit $1 for update skip locked)
        returning folder || '/' || id as object
        """,
        limit,
    )
    return [row["object"] for row in rows]


async def find(db: Executor, file_id: UUID) -> Record | None:
    return await db.fetchrow(
        "select id, owner_id, audience, folder, name, content_type, attached_at from stored_files where id = $1",
        file_id,
    )


async def old_audience(db: Executor, path: str) -> Record | None:
    """Who may see an old path (owner_id, audience), by the row that names it; None when none does."""
    return await db.fetchrow(
        """
        select user_id as owner_id, 'owner' as audience from documents where url = $1
        union all select null, 'signed_in' from shared_documents where url = $1
        union all select user_id, 'owner' from brand_assets
            where logos @> jsonb_build_array(jsonb_build_object('url', $1::text))
               or style_guides @> jsonb_build_array(jsonb_build_object('url', $1::text))
        union all select null, 'staff' from task_files where file_url = $1
        limit 1
        """,
        path,
    )
