"""SQL over the mail log and Mailgun's events."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID

from shared.areas.emails.models import LogQuery, Mail, ReceivedEvent, StoredEvent, Tracking
from shared.db.database import Executor, Record


async def insert(
    db: Executor,
    log_id: UUID,
    mail: Mail,
    *,
    text: str,
    html: str | None,
    sealed: tuple[bytes, str] | None,
) -> tuple[UUID, bool]:
    """Log *mail* as pending. A mail of the same ``message_key`` is the same mail: its id, and False for not new."""
    row = await db.fetchrow(
        """
        with given as (
            insert into email_logs (
                id, email_type, recipient_email, recipient_name, subject, text_body, html_body, status, client_id,
                triggered_by_id, metadata, message_key, sealed_content, sealed_key_id, review_request_id)
            values ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $10, $11, $12, $13, $14)
            on conflict (message_key) where message_key is not null do nothing
            returning id
        )
        select id, true as is_new from given
        union all
        select id, false from email_logs where message_key = $11 and not exists (select from given)
        """,
        log_id, mail.type, mail.to, mail.to_name or None, mail.subject, text, html, mail.client_id,
        mail.triggered_by_id, mail.metadata, mail.message_key, sealed and sealed[0], sealed and sealed[1],
        mail.review_request_id,
    )  # fmt: skip
    assert row is not None, "either the new row or the one of the same key is there"
    return row["id"], row["is_new"]


async def begin_attempt(db: Executor, log_id: UUID, message_id: str) -> Record | None:
    """Count an attempt to send a pending mail, and give it its Message-Id, which Mailgun's events will name.

    The row to send, with ``attempted_before``: when an attempt began whose outcome is not known. None when the mail
    is not pending (any more).
    """
    return await db.fetchrow(
        """
        update email_logs e
        set attempts = e.attempts + 1, attempted_at = clock_timestamp(), mailgun_id = $2
        from (select id, attempted_at from email_logs where id = $1 for update) before
        where e.id = before.id and e.status = 'pending'
        returning e.id, e.email_type, e.recipient_email, e.recipient_name, e.subject, e.text_body, e.html_body,
                  e.sealed_content, e.sealed_key_id, before.attempted_at as attempted_before,
                  extract(epoch from clock_timestamp() - before.attempted_at)::float8 as attempted_ago_s
        """,
        log_id,
        message_id,
    )


async def status(db: Executor, log_id: UUID) -> Record | None:
    return await db.fetchrow("select status, error_message, mailgun_id from email_logs where id = $1", log_id)


async def not_accepted(db: Executor, log_id: UUID) -> None:
    """Mailgun said no: the attempt has a known outcome, and the next one need not ask what became of it."""
    await db.execute("update email_logs set attempted_at = null where id = $1 and status = 'pending'", log_id)


async def sent(db: Executor, log_id: UUID, note: str) -> None:
    """Mailgun has the mail. An event may have been quicker and said more: that stays."""
    await db.execute(
        """
        update email_logs set sent_at = coalesce(sent_at, now()), mailgun_message = $2, error_message = null,
            status = case when status in ('pending', 'failed') then 'sent' else status end,
            sealed_content = null, sealed_key_id = null
        where id = $1
        """,
        log_id,
        note,
    )


async def failed(db: Executor, log_id: UUID, reason: str) -> None:
    await db.execute(
        """
        update email_logs set status = 'failed', error_message = $2, sealed_content = null, sealed_key_id = null
        where id = $1 and status = 'pending'
        """,
        log_id,
        reason,
    )


async def keep_event(db: Executor, event: ReceivedEvent, token: str) -> Record:
    """Keep an event of a mail of ours, and spend its webhook token, in one statement.

    ``log_id`` is null when no mail has this Message-Id; ``is_new`` tells a first delivery of the event; ``fresh`` tells
    that the token was never seen.
    """
    row = await db.fetchrow(
        """
        with mail as (
            select id from email_logs where mailgun_id = $1
        ), spent as (
            insert into webhook_tokens (vendor, token) values ('mailgun', $2) on conflict do nothing returning true
        ), kept as (
            insert into email_events (event_id, email_log_id, event, occurred_at, details)
            select $3, mail.id, $4, $5, $6 from mail where exists (select from spent)
            on conflict do nothing returning true
        )
        select (select id from mail) as log_id,
               exists (select from kept) as is_new,
               exists (select from spent) as fresh,
               exists (select from email_events where event_id = $3) as known
        """,
        event.message_id, token, event.event_id, event.kind, event.occurred_at,
        {"code": event.code, "reason": event.reason, "details": dict(event.details)},
    )  # fmt: skip
    assert row is not None, "a select without from always has a row"
    return row


_TRACKING = ", ".join(f"e.{one.name}" for one in fields(Tracking))


async def event_for_work(db: Executor, event_id: str) -> tuple[UUID, Tracking, StoredEvent] | None:
    """A stored event with its mail, locked: the mail's id, its tracking and the event; None when the mail is gone."""
    row = await db.fetchrow(
        f"""
        select {_TRACKING}, e.id as log_id, v.event, v.occurred_at, v.details
        from email_events v join email_logs e on e.id = v.email_log_id
        where v.event_id = $1 for update of e
        """,  # noqa: S608  the columns are the fields of Tracking
        event_id,
    )
    if row is None:
        return None
    tracking = Tracking(**{one.name: row[one.name] for one in fields(Tracking)})
    event = StoredEvent(event_id=event_id, kind=row["event"], occurred_at=row["occurred_at"], **row["details"])
    return row["log_id"], tracking, event


async def set_tracking(db: Executor, log_id: UUID, columns: dict[str, Any]) -> None:
    """Write the columns that changed; their names are fields of Tracking."""
    names = sorted(columns)
    assignments = ", ".join(f"{name} = ${index}" for index, name in enumerate(names, start=2))
    await db.execute(
        f"update email_logs set {assignments} where id = $1",  # noqa: S608  never a caller's words
        log_id,
        *(columns[name] for name in names),
    )


# A row of the log (alias e) as the list shows it.
_LISTED = """
    e.id, e.email_type, e.recipient_email, e.recipient_name, e.subject, e.status, e.mailgun_id, e.error_message,
    e.triggered_by_id, e.client_id, iso(e.created_at) as created_at, iso(e.sent_at) as sent_at,
    iso(e.delivered_at) as delivered_at, iso(e.opened_at) as opened_at, e.open_count, iso(e.clicked_at) as clicked_at,
    e.click_count, iso(e.bounced_at) as bounced_at, e.bounce_type, e.bounce_code,
    iso(e.complained_at) as complained_at, iso(e.unsubscribed_at) as unsubscribed_at
"""


async def page(db: Executor, query: LogQuery) -> str:
    """``{"logs": […], "pagination": {…}}`` as JSON text, newest first."""
    text: str = await db.fetchval(
        f"""
        with found as (
            select e.* from email_logs e
            where ($1::text is null or e.email_type = $1) and ($2::text is null or e.status = $2)
              and ($3::text is null or concat_ws(chr(10), e.recipient_email, e.recipient_name, e.subject) ilike $3)
              and ($4::timestamptz is null or e.created_at >= $4) and ($5::timestamptz is null or e.created_at <= $5)
        ), total as (
            select count(*) as n from found
        ), shown as (
            select {_LISTED} from found e order by e.created_at desc, e.id limit $6 offset ($7 - 1) * $6
        )
        select json_build_object(
            'logs', (select coalesce(json_agg(row_to_json(shown)), '[]') from shown),
            'pagination', json_build_object('page', $7, 'limit', $6, 'total', n, 'totalPages', ceil(n::numeric / $6))
        )::text from total
        """,  # noqa: S608  the columns are ours
        query.chosen_type, query.chosen_status, query.pattern, query.date_from, query.date_to, query.limit, query.page,
    )  # fmt: skip
    return text


async def detail(db: Executor, log_id: UUID) -> Record | None:
    """One mail in full: ``row`` (JSON text without the HTML body) and ``html_body``; keys that held secrets are cut."""
    return await db.fetchrow(
        f"""
        select e.html_body, (
            select row_to_json(shown)::text from (
                select {_LISTED}, e.cc_emails, e.bcc_emails, e.text_body, e.mailgun_message,
                    e.metadata - array['reset_url', 'verify_url', 'onboarding_url', 'login_url'] as metadata,
                    e.delivery_status, by.email as triggered_by_email, by.first_name as triggered_by_first_name,
                    by.last_name as triggered_by_last_name, c.email as client_email,
                    c.first_name as client_first_name, c.last_name as client_last_name
            ) shown
        ) as row
        from email_logs e left join users by on by.id = e.triggered_by_id left join users c on c.id = e.client_id
        where e.id = $1
        """,  # noqa: S608  the columns are ours
        log_id,
    )


async def counts(db: Executor, *, days: int) -> str:
    """``{"stats": [{email_type, status, count}]}`` of the last days as JSON text; counts are strings."""
    text: str = await db.fetchval(
        """
        select json_build_object('stats', coalesce(json_agg(json_build_object(
            'email_type', email_type, 'status', status, 'count', n::text
        ) order by email_type, status), '[]'))::text
        from (
            select email_type, status, count(*) as n from email_logs
            where created_at >= now() - make_interval(days => $1) group by email_type, status
        ) counted
        """,
        days,
    )
    return text
