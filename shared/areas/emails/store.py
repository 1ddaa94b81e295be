"""SQL over the mail log and Mailgun's events."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shared.areas.emails.models import Mail, MailEvent
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
                triggered_by_id, metadata, message_key, sealed_content, sealed_key_id, review_request_id,
                unsubscribe_url)
            values ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $10, $11, $12, $13, $14, $15)
            on conflict (message_key) where message_key is not null do nothing
            returning id
        )
        select id, true as is_new from given
        union all
        select id, false from email_logs where message_key = $11 and not exists (select from given)
        """,
        log_id, mail.type, mail.to, mail.to_name or None, mail.subject, text, html, mail.client_id,
        mail.triggered_by_id, mail.metadata, mail.message_key, sealed and sealed[0], sealed and sealed[1],
        mail.review_request_id, mail.unsubscribe_url,
    )  # fmt: skip
    assert row is not None, "either the new row or the one of the same key is there"
    return row["id"], row["is_new"]


async def begin_attempt(db: Executor, log_id: UUID, message_id: str) -> Record | None:
    """Count an attempt to send a mail, and give it its Message-Id, which Mailgun's events will name.

    The row to send, with ``attempted_before``: when an attempt began whose outcome is not known. None when the mail
    was sent. One that had failed is only ever tried because a person sent its work again.
    """
    return await db.fetchrow(
        """
        update email_logs e
        set attempts = e.attempts + 1, attempted_at = clock_timestamp(), mailgun_id = $2, status = 'pending'
        from (select id, attempted_at from email_logs where id = $1 for update) before
        where e.id = before.id and e.status in ('pending', 'failed')
        returning e.id, e.email_type, e.recipient_email, e.recipient_name, e.subject, e.text_body, e.html_body,
                  e.unsubscribe_url, e.sealed_content, e.sealed_key_id, before.attempted_at as attempted_before,
                  extract(epoch from clock_timestamp() - before.attempted_at)::float8 as attempted_ago_s
        """,
        log_id,
        message_id,
    )


async def exists(db: Executor, log_id: UUID) -> bool:
    return bool(await db.fetchval("select exists (select from email_logs where id = $1)", log_id))


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
    """Mailgun will never take this mail."""
    await db.execute(
        """
        update email_logs set status = 'failed', error_message = $2, attempted_at = null,
            sealed_content = null, sealed_key_id = null
        where id = $1 and status = 'pending'
        """,
        log_id,
        reason,
    )


async def given_up(db: Executor, log_id: UUID, reason: str) -> None:
    """Nothing tries this mail any more until a person sends its work again, for which its content stays."""
    await db.execute(
        "update email_logs set status = 'failed', error_message = $2 where id = $1 and status = 'pending'",
        log_id,
        reason,
    )


async def keep_event(db: Executor, event: MailEvent, token: str) -> Record:
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
        event.message_id, token, event.event_id, event.kind, event.occurred_at, dict(event.details_json()),
    )  # fmt: skip
    assert row is not None, "a select without from always has a row"
    return row


async def events_of(db: Executor, event_id: str) -> tuple[Record, list[Record]] | None:
    """The mail of an event, locked, and all events of that mail, oldest first; None when the mail is gone."""
    mail = await db.fetchrow(
        """
        select * from email_logs
        where id = (select email_log_id from email_events where event_id = $1) for update
        """,
        event_id,
    )
    if mail is None:
        return None
    events = await db.fetch(
        "select * from email_events where email_log_id = $1 order by occurred_at, event_id", mail["id"]
    )
    return mail, events


async def set_tracking(db: Executor, log_id: UUID, columns: dict[str, Any]) -> None:
    """Write what the events say. Column names are ours, from ``rules``, never a caller's."""
    names = sorted(columns)
    assignments = ", ".join(f"{name} = ${index}" for index, name in enumerate(names, start=2))
    await db.execute(
        f"update email_logs set {assignments} where id = $1",  # noqa: S608  names come from rules.tracking
        log_id,
        *(columns[name] for name in names),
    )
