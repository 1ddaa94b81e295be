"""SQL over the files that visitors sent with forms."""

from __future__ import annotations

from uuid import UUID

from shared.db.database import Executor, Record


async def insert(
    db: Executor,
    *,
    sent_id: UUID,
    form_id: UUID,
    field: str,
    file_id: UUID,
    content_type: str,
    size: int,
    sealed: tuple[bytes, str],
) -> None:
    await db.execute(
        """
        insert into form_submission_files (id, form_id, field, file_id, content_type, size_bytes, sealed_key,
                                           encryption_key_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        sent_id, form_id, field, file_id, content_type, size, sealed[0], sealed[1],
    )  # fmt: skip


async def sent(db: Executor, form_id: UUID, ids: list[UUID]) -> list[Record]:
    return await db.fetch(
        """
        select id, field, file_id, sealed_key, encryption_key_id from form_submission_files
        where form_id = $1 and id = any($2)
        """,
        form_id,
        ids,
    )


async def claim(tx: Executor, submission_id: UUID, ids: list[UUID]) -> int:
    """Let a submission hold files that none holds; how many. The sweep takes them from now on only with their rows."""
    return await tx.execute(
        """
        with held as (
            update form_submission_files set submission_id = $1
            where id = any($2) and submission_id is null returning file_id
        )
        update stored_files set attached_at = now() where id in (select file_id from held)
        """,
        submission_id,
        ids,
    )


async def of_submission(db: Executor, submission_id: UUID) -> list[Record]:
    return await db.fetch(
        """
        select id, field, content_type, size_bytes, sealed_key, encryption_key_id from form_submission_files
        where submission_id = $1 order by created_at, id
        """,
        submission_id,
    )


async def find(db: Executor, viewer: UUID | None, form_id: UUID, submission_id: UUID, sent_id: UUID) -> Record | None:
    return await db.fetchrow(
        """
        select a.* from form_submission_files a join forms f on f.id = a.form_id
        where a.id = $4 and a.submission_id = $3 and f.id = $2 and form_in_reach(f.client_id, $1)
        """,
        viewer,
        form_id,
        submission_id,
        sent_id,
    )
