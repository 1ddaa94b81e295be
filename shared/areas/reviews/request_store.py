"""SQL over requests for reviews. What became of a request's mail stands in the mail log (``review_requests_now``)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shared.db.database import Executor, Record

_REQUEST = """
    'id', q.id, 'client_id', q.client_id, 'oauth_resource_id', q.oauth_resource_id, 'customer_name', q.customer_name,
    'customer_email', q.customer_email, 'customer_phone', q.customer_phone, 'delivery_method', q.delivery_method,
    'review_link', q.review_link, 'custom_message', q.custom_message, 'status', q.status, 'sent_at', iso(q.sent_at),
    'delivered_at', iso(q.delivered_at), 'opened_at', iso(q.opened_at), 'clicked_at', iso(q.clicked_at),
    'completed_at', iso(q.completed_at), 'resulting_review_id', q.resulting_review_id,
    'error_message', q.error_message, 'retry_count', q.retry_count, 'last_retry_at', iso(q.last_retry_at),
    'source', q.source, 'campaign_id', q.campaign_id, 'metadata', q.metadata, 'created_by', q.created_by,
    'created_at', iso(q.created_at), 'updated_at', iso(q.updated_at), 'location_name', o.resource_name,
    'tracked_link', case when q.link_token is not null then $2 || q.link_token end
"""


async def page(db: Executor, owner: UUID, link_base: str, *, page: int, limit: int, status: str | None) -> str:
    """``{"requests": […], "pagination": {…}}`` as JSON text, newest first."""
    text: str = await db.fetchval(
        f"""
        with found as (
            select * from review_requests_now where client_id = $1 and ($5::text is null or status = $5)
        )
        select json_build_object(
            'requests', coalesce((
                select json_agg(json_build_object({_REQUEST}) order by q.created_at desc, q.id)
                from (select * from found order by created_at desc, id limit $4 offset ($3 - 1) * $4) q
                left join oauth_resources o on o.id = q.oauth_resource_id
            ), '[]'),
            'pagination', (
                select json_build_object('page', $3::int, 'limit', $4::int, 'total', count(*),
                                         'totalPages', ceil(count(*) / $4::numeric)::int)
                from found
            )
        )::text
        """,  # noqa: S608  columns are ours
        owner, link_base, page, limit, status,
    )  # fmt: skip
    return text


async def show(db: Executor, owner: UUID, link_base: str, request_id: UUID) -> str | None:
    """``{"request": {…}}`` as JSON text."""
    text: str | None = await db.fetchval(
        f"""
        select json_build_object('request', json_build_object({_REQUEST}))::text
        from review_requests_now q left join oauth_resources o on o.id = q.oauth_resource_id
        where q.client_id = $1 and q.id = $3
        """,  # noqa: S608  columns are ours
        owner,
        link_base,
        request_id,
    )
    return text


async def insert(db: Executor, owner: UUID, columns: dict[str, Any]) -> UUID:
    names = list(columns)
    values = ", ".join(f"${index}" for index in range(2, len(names) + 2))
    request_id: UUID = await db.fetchval(
        f"insert into review_requests (client_id, {', '.join(names)}) values ($1, {values}) returning id",  # noqa: S608
        owner,
        *columns.values(),
    )
    return request_id


async def wants_none(db: Executor, owner: UUID, email: str) -> bool:
    """Whether this person has asked the client's business, or us, for no more mails, or called one spam."""
    return bool(
        await db.fetchval(
            """
            select exists (select from review_request_stops where client_id = $1 and email = $2)
                or exists (
                    select from email_logs
                    where lower(recipient_email) = $2 and email_type = 'review_request' and client_id = $1
                      and (unsubscribed_at is not null or complained_at is not null or bounce_type = 'hard')
                )
            """,
            owner,
            email,
        )
    )


async def asked_lately(db: Executor, owner: UUID, email: str, days: int) -> bool:
    """Whether the client has asked this person within so many days, by a mail that did not fail."""
    return bool(
        await db.fetchval(
            """
            select exists (
                select from review_requests_now
                where client_id = $1 and lower(customer_email) = $2 and delivery_method = 'email' and status <> 'failed'
                  and created_at > now() - make_interval(days => $3)
            )
            """,
            owner, email, days,
        )
    )  # fmt: skip


async def click(db: Executor, token: str) -> str | None:
    """Where a tracked link leads; the request is clicked, since the first time."""
    link: str | None = await db.fetchval(
        """
        update review_requests set clicked_at = coalesce(clicked_at, now()), updated_at = now()
        where link_token = $1 returning review_link
        """,
        token,
    )
    return link


async def business_of(db: Executor, token: str) -> Record | None:
    """Whose request a link is of: ``business``."""
    return await db.fetchrow(
        """
        select coalesce(b.business_name, 'this business') as business
        from review_requests q left join brand_assets b on b.user_id = q.client_id and b.superseded_at is null
        where q.link_token = $1
        """,
        token,
    )


async def stop(db: Executor, token: str) -> bool:
    """Whoever got this link wants no more of the client's requests. False when there is no such link."""
    return bool(
        await db.fetchval(
            """
            with q as (
                select client_id, lower(customer_email) as email from review_requests where link_token = $1
            ), kept as (
                insert into review_request_stops (client_id, email)
                select client_id, email from q where email is not null
                on conflict do nothing
            )
            select exists (select from q)
            """,
            token,
        )
    )


async def complete(db: Executor, owner: UUID, review_id: UUID) -> None:
    """A new review by somebody who was asked for one, by their name, completes the latest such request."""
    await db.execute(
        """
        update review_requests set resulting_review_id = $2, completed_at = now(), updated_at = now()
        where id = (
            select q.id from review_requests q join reviews r on r.id = $2 and r.client_id = $1
            where q.client_id = $1 and q.resulting_review_id is null and q.customer_name is not null
              and lower(q.customer_name) = lower(r.reviewer_name)
              and q.created_at between r.review_created_at - interval '60 days' and r.review_created_at
              and (q.oauth_resource_id is null or q.oauth_resource_id = r.oauth_resource_id)
            order by q.created_at desc, q.id limit 1
        )
        """,
        owner,
        review_id,
    )
