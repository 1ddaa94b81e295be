"""SQL over submissions and their PDFs as staff see them; every statement names the form and asks for its reach."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.db.database import Executor, Record

_WITHIN = "f.id = $2 and form_in_reach(f.client_id, $1)"


async def list_rows(db: Executor, viewer: UUID | None, form_id: UUID, *, limit: int, offset: int) -> str | None:
    """``{"submissions": [SubmissionRow], "total"}`` as JSON text, newest first, without a word of the answers."""
    text: str | None = await db.fetchval(
        f"""
        select json_build_object(
            'total', (select count(*) from form_submissions s where s.form_id = f.id),
            'submissions', (
                select coalesce(json_agg(json_build_object(
                    'id', s.id, 'submission_kind', s.submission_kind, 'ctm_sent', s.ctm_sent,
                    'email_sent', s.email_sent, 'embed_domain', s.embed_domain, 'created_at', iso(s.created_at),
                    'version_number', v.version_number, 'classification', s.classification
                ) order by s.created_at desc, s.id desc), '[]'::json)
                from (
                    select * from form_submissions where form_id = f.id
                    order by created_at desc, id desc limit $3 offset $4
                ) s join form_versions v on v.id = s.form_version_id)
        )::text
        from forms f where {_WITHIN}
        """,  # noqa: S608  our own text
        viewer,
        form_id,
        limit,
        offset,
    )
    return text


async def find(db: Executor, viewer: UUID | None, form_id: UUID, submission_id: UUID) -> Record | None:
    """A submission with its answers as they are stored, its version's definition, and its form's name and type."""
    return await db.fetchrow(
        f"""
        select s.*, host(s.ip_address) as ip, v.version_number, v.schema_json, f.form_type, f.name as form_name
        from form_submissions s
        join forms f on f.id = s.form_id
        join form_versions v on v.id = s.form_version_id
        where s.id = $3 and {_WITHIN}
        """,  # noqa: S608
        viewer,
        form_id,
        submission_id,
    )


async def steps(db: Executor, submission_id: UUID) -> str:
    """What was done with a submission, as JSON text: classification, CTM, one mail for each recipient."""
    text: str = await db.fetchval(
        """
        select coalesce(json_agg(json_build_object(
            'job_type', job_type, 'status', status, 'outcome', outcome, 'reason', reason, 'recipient', recipient,
            'attempts', attempts, 'completed_at', iso(completed_at)) order by created_at, job_type, id), '[]')::text
        from form_submission_jobs where submission_id = $1
        """,
        submission_id,
    )
    return text


async def batch(
    db: Executor,
    form_id: UUID,
    *,
    since: datetime | None,
    until: datetime | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Record]:
    """Submissions for the export, newest first, after the one that was read last."""
    return await db.fetch(
        """
        select s.*, v.version_number
        from form_submissions s join form_versions v on v.id = s.form_version_id
        where s.form_id = $1 and ($2::timestamptz is null or s.created_at >= $2)
          and ($3::timestamptz is null or s.created_at < $3)
          and ($4::timestamptz is null or (s.created_at, s.id) < ($4, $5::uuid))
        order by s.created_at desc, s.id desc limit $6
        """,
        form_id, since, until, before and before[0], before and before[1], limit,
    )  # fmt: skip


async def schemas(db: Executor, form_id: UUID) -> list[Record]:
    """The definitions that submissions of a form may follow, newest first."""
    return await db.fetch(
        """
        select schema_json from form_versions
        where form_id = $1 and (published_at is not null
            or id in (select form_version_id from form_submissions where form_id = $1))
        order by version_number desc limit 50
        """,
        form_id,
    )


async def remove(db: Executor, submission_ids: list[UUID]) -> list[UUID]:
    """Delete submissions; the files of their PDFs and those that visitors sent with them."""
    rows = await db.fetch(
        """
        select file_id from form_pdf_artifacts where submission_id = any($1) and file_id is not null
        union all select file_id from form_submission_files where submission_id = any($1)
        """,
        submission_ids,
    )
    await db.execute("delete from form_submissions where id = any($1)", submission_ids)
    return [row["file_id"] for row in rows]


async def outlived(db: Executor, *, limit: int) -> list[Record]:
    """Submissions (id, form_id) kept longer than their form's ``retention_days``, but those that another run has."""
    return await db.fetch(
        """
        select s.id, s.form_id
        from forms f
        cross join lateral (
            select case when jsonb_typeof(f.settings_json -> 'retention_days') = 'number'
                        then greatest((f.settings_json ->> 'retention_days')::numeric, 1) end as days
        ) kept
        join form_submissions s on s.form_id = f.id
            and s.created_at < now() - least(kept.days, 36500)::float8 * interval '1 day'
        where kept.days is not null
        order by s.created_at limit $1 for update of s skip locked
        """,
        limit,
    )


# --- PDFs -------------------------------------------------------------------------------------------------------------


async def insert_pdf(
    db: Executor,
    *,
    pdf_id: UUID,
    submission_id: UUID,
    file_id: UUID,
    object_name: str,
    name: str,
    size: int,
    checksum: str,
    sealed_key: tuple[bytes, str],
    generated_by: UUID,
) -> str:
    """Keep a drawn PDF's row; the time of it."""
    text: str = await db.fetchval(
        """
        insert into form_pdf_artifacts (id, submission_id, file_id, storage_path, file_name, file_size_bytes, checksum,
                                        sealed_data_key, encryption_key_id, generated_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning iso(generated_at)
        """,
        pdf_id, submission_id, file_id, object_name, name, size, checksum, sealed_key[0], sealed_key[1], generated_by,
    )  # fmt: skip
    return text


async def list_pdfs(db: Executor, viewer: UUID | None, form_id: UUID, submission_id: UUID) -> str | None:
    """``{"pdfs": [Pdf]}`` as JSON text, newest first; None when the submission is not within reach."""
    text: str | None = await db.fetchval(
        f"""
        select json_build_object('pdfs', (
            select coalesce(json_agg(json_build_object(
                'id', a.id, 'file_name', a.file_name, 'file_size_bytes', a.file_size_bytes, 'checksum', a.checksum,
                'generated_at', iso(a.generated_at), 'first_name', u.first_name, 'last_name', u.last_name
            ) order by a.generated_at desc, a.id), '[]'::json)
            from form_pdf_artifacts a left join users u on u.id = a.generated_by
            where a.submission_id = s.id))::text
        from form_submissions s join forms f on f.id = s.form_id
        where s.id = $3 and {_WITHIN}
        """,  # noqa: S608
        viewer,
        form_id,
        submission_id,
    )
    return text


async def pdf(db: Executor, viewer: UUID | None, form_id: UUID, submission_id: UUID, pdf_id: UUID) -> Record | None:
    return await db.fetchrow(
        f"""
        select a.* from form_pdf_artifacts a
        join form_submissions s on s.id = a.submission_id
        join forms f on f.id = s.form_id
        where a.id = $4 and s.id = $3 and {_WITHIN}
        """,  # noqa: S608
        viewer,
        form_id,
        submission_id,
        pdf_id,
    )


async def remove_old_pdfs(db: Executor, *, days: int, limit: int) -> tuple[int, list[UUID]]:
    """Forget PDFs older than *days*: how many, and their files. They can be drawn again."""
    rows = await db.fetch(
        """
        delete from form_pdf_artifacts where id in (
            select id from form_pdf_artifacts where generated_at < now() - $1 * interval '1 day'
            order by generated_at limit $2 for update skip locked)
        returning file_id
        """,
        days,
        limit,
    )
    return len(rows), [row["file_id"] for row in rows if row["file_id"] is not None]
