"""SQL over forms as visitors see them, their submissions, and the steps each submission needs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.db.database import Executor, Record


async def published(db: Executor, form_id: UUID, version_id: UUID | None, *, with_code: bool) -> Record | None:
    """A published form with the version it shows, or with *version_id*, if that one was ever published."""
    return await db.fetchrow(
        """
        select f.id, f.name, f.form_type, f.settings_json, f.embed_token, v.id as version_id, v.version_number,
               v.schema_json, case when $3 then v.react_code end as react_code,
               case when $3 then v.css_code end as css_code
        from forms f
        join form_versions v on v.form_id = f.id and v.id = coalesce($2, f.published_version_id)
        where f.id = $1 and f.status = 'published' and (v.published_at is not null or v.id = f.published_version_id)
        """,
        form_id,
        version_id,
        with_code,
    )


async def insert_submission(
    db: Executor,
    *,
    submission_id: UUID,
    form_id: UUID,
    version_id: UUID,
    kind: str,
    payload: dict[str, Any] | None,
    sealed: tuple[bytes, str] | None,
    attribution: dict[str, Any],
    ip: str,
    user_agent: str,
    referrer: str | None,
    embed_domain: str | None,
    idempotency_key: str | None,
    steps: list[dict[str, Any]],
    work_id: UUID,
) -> tuple[UUID, bool]:
    """Store a submission with its steps, its audit line and its outbox row, in one statement, which is one transaction:
    its id, and True when it is new.

    One with the same idempotency key is the same submission.
    """
    row = await db.fetchrow(
        """
        with submission as (
            insert into form_submissions (
                id, form_id, form_version_id, submission_kind, non_phi_payload, encrypted_payload, encryption_key_id,
                attribution_json, ip_address, user_agent, referrer, embed_domain, idempotency_key)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            on conflict (form_id, idempotency_key) where idempotency_key is not null do nothing
            returning id
        ), steps as (
            insert into form_submission_jobs (
                submission_id, job_type, idempotency_key, recipient, status, outcome, reason, completed_at)
            select submission.id, step.kind, step.key, step.recipient,
                   case when step.skipped is null then 'pending' else 'completed' end,
                   case when step.skipped is not null then 'skipped' end, step.skipped,
                   case when step.skipped is not null then now() end
            from submission, jsonb_to_recordset($14) as step (kind text, key text, recipient text, skipped text)
        ), audit as (
            insert into form_audit_logs (action, entity_type, entity_id, metadata_json, ip_address, user_agent)
            select 'submission.created', 'submission', id, jsonb_build_object('form_id', $2::uuid), $9, $10
            from submission
        ), work as (
            insert into outbox (id, kind, target, payload)
            select $15, 'task', 'forms_process', jsonb_build_object('submission_id', id) from submission
        )
        select id from submission
        """,
        submission_id, form_id, version_id, kind, payload, sealed and sealed[0], sealed and sealed[1], attribution,
        ip, user_agent, referrer, embed_domain, idempotency_key, steps, work_id,
    )  # fmt: skip
    if row is not None:
        return row["id"], True
    earlier = await db.fetchval(
        "select id from form_submissions where form_id = $1 and idempotency_key = $2", form_id, idempotency_key
    )
    return earlier, False


async def submission_for_work(db: Executor, submission_id: UUID) -> Record | None:
    """A submission with all that its steps need to know; an intake's answers are not among it."""
    return await db.fetchrow(
        """
        select s.id, s.created_at, s.attribution_json, s.non_phi_payload, f.id as form_id, f.name as form_name,
               f.form_type, f.settings_json, f.client_id, v.schema_json, p.ai_prompt,
               p.ctm_account_number, p.ctm_api_key, p.ctm_api_secret
        from form_submissions s
        join forms f on f.id = s.form_id
        join form_versions v on v.id = s.form_version_id
        left join client_profiles p on p.user_id = f.client_id
        where s.id = $1
        """,
        submission_id,
    )


async def begin_steps(db: Executor, submission_id: UUID) -> list[Record]:
    """Count an attempt of every step that is not completed and return them.

    A step that had failed for good is only ever begun again because a person sent its work again: it starts anew.
    ``attempted_before`` and ``attempted_ago_s`` tell of an attempt whose outcome is not known.
    """
    return await db.fetch(
        """
        update form_submission_jobs j
        set status = 'processing', started_at = clock_timestamp(), attempted_at = clock_timestamp(),
            attempts = case when before.outcome = 'failed' then 1 else before.attempts + 1 end,
            outcome = null, reason = null
        from (
            select id, attempts, outcome, attempted_at from form_submission_jobs
            where submission_id = $1 and status <> 'completed' and job_type <> 'pdf_generation' for update
        ) before
        where j.id = before.id
        returning j.id, j.job_type as kind, j.recipient, j.idempotency_key as key, j.attempts,
                  before.attempted_at is not null as attempted_before,
                  coalesce(extract(epoch from clock_timestamp() - before.attempted_at), 0)::float8 as attempted_ago_s
        """,
        submission_id,
    )


async def step_done(db: Executor, step_id: UUID, outcome: str, reason: str | None) -> None:
    """Record that a step is completed (``sent``, ``done`` or ``skipped``), and what its submission shows of it."""
    await db.execute(
        """
        with step as (
            update form_submission_jobs
            set status = 'completed', outcome = $2, reason = $3, completed_at = now(), last_error = null
            where id = $1 returning submission_id, job_type
        )
        update form_submissions s
        set ctm_sent = s.ctm_sent or (step.job_type = 'ctm_conversion' and $2 = 'sent'),
            ctm_sent_at = case when step.job_type = 'ctm_conversion' and $2 = 'sent' then now() else s.ctm_sent_at end,
            ctm_error = case when step.job_type = 'ctm_conversion' then null else s.ctm_error end,
            email_sent = s.email_sent or (step.job_type = 'email_notification' and $2 = 'sent'),
            email_sent_at = case when step.job_type = 'email_notification' and $2 = 'sent'
                                 then now() else s.email_sent_at end
        from step where s.id = step.submission_id
        """,
        step_id,
        outcome,
        reason,
    )


async def step_failed(
    db: Executor, step_id: UUID, reason: str, *, next_at: datetime | None, outcome_known: bool
) -> None:
    """Record a failure: to be tried again at *next_at*, or for good when there is none.

    *outcome_known*: the other side said no; else the next attempt must first ask whether this one had an effect.
    """
    await db.execute(
        """
        with step as (
            update form_submission_jobs
            set status = 'failed', last_error = $2, reason = $2, scheduled_at = coalesce($3, scheduled_at),
                outcome = case when $3::timestamptz is null then 'failed' end,
                attempted_at = case when $4 then null else attempted_at end
            where id = $1 returning submission_id, job_type
        )
        update form_submissions s
        set ctm_error = case when step.job_type = 'ctm_conversion' then $2 else s.ctm_error end,
            email_error = case when step.job_type = 'email_notification' then $2 else s.email_error end
        from step where s.id = step.submission_id
        """,
        step_id,
        reason,
        next_at,
        outcome_known,
    )


async def keep_ctm_record(db: Executor, submission_id: UUID, record: dict[str, Any]) -> None:
    await db.execute("update form_submissions set ctm_response = $2 where id = $1", submission_id, record)


async def keep_classification(
    db: Executor, submission_id: UUID, category: str, summary: str, details: dict[str, str]
) -> None:
    await db.execute(
        """
        update form_submissions
        set classification = $2, classification_summary = $3, extracted = $4, classified_at = now()
        where id = $1
        """,
        submission_id,
        category,
        summary,
        details,
    )


async def insert_draft(
    db: Executor,
    *,
    draft_id: UUID,
    form_id: UUID,
    version_id: UUID,
    token_hash: str,
    email_hash: str | None,
    sealed: tuple[bytes, str],
    expires_at: datetime,
    ip: str,
    user_agent: str,
) -> None:
    await db.execute(
        """
        insert into form_draft_sessions (
            id, form_id, form_version_id, resume_token_hash, email_hash, encrypted_partial_payload, encryption_key_id,
            expires_at, ip_address, user_agent)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        draft_id, form_id, version_id, token_hash, email_hash, sealed[0], sealed[1], expires_at, ip, user_agent,
    )  # fmt: skip


async def draft(db: Executor, form_id: UUID, token_hash: str) -> Record | None:
    """A draft that has not expired, by the hash of its token."""
    return await db.fetchrow(
        """
        select id, encrypted_partial_payload, encryption_key_id, last_saved_at from form_draft_sessions
        where form_id = $1 and resume_token_hash = $2 and expires_at > now()
        """,
        form_id,
        token_hash,
    )


async def count_view(db: Executor, form_id: UUID) -> None:
    await db.execute(
        """
        insert into form_activity as a (form_id, day, views)
        select id, (now() at time zone 'UTC')::date, 1 from forms where id = $1
        on conflict (form_id, day) do update set views = a.views + 1
        """,
        form_id,
    )


async def count_start(db: Executor, form_id: UUID) -> None:
    """Count one beginning; of a form that is gone, none."""
    await db.execute(
        """
        insert into form_activity as a (form_id, day, starts)
        select id, (now() at time zone 'UTC')::date, 1 from forms where id = $1
        on conflict (form_id, day) do update set starts = a.starts + 1
        """,
        form_id,
    )
