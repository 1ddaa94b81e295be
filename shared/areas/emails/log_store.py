"""SQL over the mail log as admins read it."""

from __future__ import annotations

from uuid import UUID

from shared.areas.emails.models import LogQuery
from shared.areas.queries import like_pattern
from shared.db.database import Executor, Record

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
        query.chosen_type, query.chosen_status, like_pattern(query.search), query.date_from, query.date_to, query.limit,
        query.page,
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
