"""SQL over reviews and drafts as the dashboard reads and changes them. Every statement names whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.areas.queries import like_pattern
from shared.areas.reviews.models import ListReviews
from shared.areas.reviews.writing import Mood
from shared.db.database import Executor, Record

_DRAFT = """json_build_object(
    'id', d.id, 'review_id', d.review_id, 'client_id', d.client_id, 'draft_text', d.draft_text,
    'draft_version', d.draft_version, 'is_ai_generated', d.is_ai_generated, 'ai_model', d.ai_model,
    'ai_prompt_used', d.ai_prompt_used, 'ai_generation_params', d.ai_generation_params, 'status', d.status,
    'reviewed_by', d.reviewed_by, 'reviewed_at', iso(d.reviewed_at), 'review_notes', d.review_notes,
    'sent_at', iso(d.sent_at), 'send_error', d.send_error, 'platform_response_id', d.platform_response_id,
    'created_by', d.created_by, 'created_at', iso(d.created_at), 'updated_at', iso(d.updated_at)
)"""
_REVIEW = """
    'id', r.id, 'client_id', r.client_id, 'oauth_resource_id', r.oauth_resource_id, 'platform', r.platform,
    'platform_review_id', r.platform_review_id, 'location_name', coalesce(o.resource_name, r.location_name),
    'location_id', r.location_id, 'reviewer_name', r.reviewer_name, 'reviewer_photo_url', r.reviewer_photo_url,
    'reviewer_profile_url', r.reviewer_profile_url, 'rating', r.rating, 'review_text', r.review_text,
    'review_language', r.review_language, 'review_created_at', iso(r.review_created_at),
    'review_updated_at', iso(r.review_updated_at), 'has_response', r.has_response, 'response_text', r.response_text,
    'response_created_at', iso(r.response_created_at), 'response_updated_at', iso(r.response_updated_at),
    'is_flagged', r.is_flagged, 'flag_reason', r.flag_reason, 'flagged_at', iso(r.flagged_at),
    'flagged_by', r.flagged_by, 'priority', r.priority, 'internal_notes', r.internal_notes,
    'sentiment_score', r.sentiment_score::text, 'sentiment_label', r.sentiment_label,
    'sentiment_analyzed_at', iso(r.sentiment_analyzed_at), 'last_synced_at', iso(r.last_synced_at),
    'sync_error', r.sync_error, 'raw_data', r.raw_data, 'created_at', iso(r.created_at),
    'updated_at', iso(r.updated_at), 'state', r.review_state, 'reply_status', p.status, 'reply_error', p.error
"""
_JOINS = """
    left join oauth_resources o on o.id = r.oauth_resource_id
    left join review_replies p on p.review_id = r.id
"""
_SORTS = {
    "review_created_at": "review_created_at",
    "rating": "rating",
    "reviewer_name": "lower(reviewer_name)",
    "priority": "array_position(array['low', 'normal', 'high', 'urgent'], priority)",
    "updated_at": "updated_at",
}


async def page(db: Executor, owner: UUID, query: ListReviews) -> str:
    """``{"reviews": […], "pagination": {…}}`` as JSON text."""
    order = f"{_SORTS[query.sortBy]} {query.sortOrder} nulls last, review_created_at desc, id"
    text: str = await db.fetchval(
        f"""
        with found as materialized (
            select id, row_number() over (order by {order}) as nth from reviews
            where client_id = $1 and removed_at is null
              and ($4::int is null or rating = $4)
              and ($5::bool is null or has_response = $5)
              and ($6::bool is null or is_flagged = $6)
              and ($7::text is null or priority = $7)
              and ($8::text is null or sentiment_label = $8)
              and ($9::text is null or review_text ilike $9 or reviewer_name ilike $9)
              and ($10::uuid is null or oauth_resource_id = $10)
              and ($11::timestamptz is null or review_created_at >= $11)
              and ($12::timestamptz is null or review_created_at <= $12)
        )
        select json_build_object(
            'reviews', coalesce((
                select json_agg(json_build_object({_REVIEW}, 'pending_drafts', (
                    select count(*)::text from review_response_drafts d
                    where d.review_id = r.id and d.status in ('draft', 'approved')
                )) order by f.nth)
                from (select * from found order by nth limit $2 offset $3) f join reviews r on r.id = f.id {_JOINS}
            ), '[]'),
            'pagination', (
                select json_build_object('page', $13::int, 'limit', $2::int, 'total', count(*),
                                         'totalPages', ceil(count(*) / $2::numeric)::int)
                from found
            )
        )::text
        """,  # noqa: S608  columns and orders are ours
        owner, query.limit, (query.page - 1) * query.limit, query.rating, query.responded, query.isFlagged,
        query.priority, query.sentimentLabel, like_pattern(query.search), query.locationId, query.dateFrom,
        query.dateTo, query.page,
    )  # fmt: skip
    return text


async def statistics(db: Executor, owner: UUID, days: int) -> str:
    """The numbers above the list, as JSON text; counts are texts, as the dashboard has always got them."""
    text: str = await db.fetchval(
        """
        with mine as (
            select *, review_created_at > now() - make_interval(days => $2) as recent from reviews
            where client_id = $1 and removed_at is null
        ), asked as (
            select count(*) as total,
                   count(*) filter (where status not in ('pending', 'failed')) as sent,
                   count(*) filter (where status = 'completed') as completed
            from review_requests_now where client_id = $1 and created_at > now() - make_interval(days => $2)
        )
        select json_build_object(
            'total_reviews', count(*)::text,
            'period_reviews', (count(*) filter (where recent))::text,
            'pending_responses', (count(*) filter (where not has_response))::text,
            'flagged_count', (count(*) filter (where is_flagged))::text,
            'average_rating', round(avg(rating), 2)::text,
            'period_average', round(avg(rating) filter (where recent), 2)::text,
            'rating_5', (count(*) filter (where rating = 5))::text,
            'rating_4', (count(*) filter (where rating = 4))::text,
            'rating_3', (count(*) filter (where rating = 3))::text,
            'rating_2', (count(*) filter (where rating = 2))::text,
            'rating_1', (count(*) filter (where rating = 1))::text,
            'positive_sentiment', (count(*) filter (where sentiment_label = 'positive'))::text,
            'neutral_sentiment', (count(*) filter (where sentiment_label = 'neutral'))::text,
            'negative_sentiment', (count(*) filter (where sentiment_label = 'negative'))::text,
            'mixed_sentiment', (count(*) filter (where sentiment_label = 'mixed'))::text,
            'avgResponseHours', round((avg(extract(epoch from response_created_at - review_created_at) / 3600)
                filter (where recent and has_response and response_created_at >= review_created_at))::numeric, 1)::text,
            'periodDays', $2::int,
            'requests', (select json_build_object('total_requests', total::text, 'sent_requests', sent::text,
                                                  'completed_requests', completed::text) from asked)
        )::text
        from mine
        """,
        owner,
        days,
    )
    return text


async def detail(db: Executor, owner: UUID, review_id: UUID) -> str | None:
    """``{"review": {…, "business_name", "drafts"}}`` as JSON text."""
    text: str | None = await db.fetchval(
        f"""
        select json_build_object('review', json_build_object({_REVIEW},
            'business_name', (select business_name from brand_assets where user_id = $1 and superseded_at is null),
            'drafts', coalesce((
                select json_agg({_DRAFT} order by d.created_at desc, d.id)
                from review_response_drafts d where d.review_id = r.id
            ), '[]')
        ))::text
        from reviews r {_JOINS}
        where r.id = $2 and r.client_id = $1 and r.removed_at is null
        """,  # noqa: S608  columns are ours
        owner,
        review_id,
    )
    return text


async def show(db: Executor, owner: UUID, review_id: UUID) -> str | None:
    """``{"review": {…}}`` as JSON text: what a change answers."""
    text: str | None = await db.fetchval(
        f"""
        select json_build_object('review', json_build_object({_REVIEW}))::text from reviews r {_JOINS}
        where r.id = $2 and r.client_id = $1 and r.removed_at is null
        """,  # noqa: S608  columns are ours
        owner,
        review_id,
    )
    return text


async def flag(
    db: Executor, owner: UUID, review_id: UUID, *, flagged: bool, reason: str | None, by: UUID | None
) -> bool:
    """``flagged_by`` is whoever changed it last, also by taking the flag away."""
    return bool(
        await db.execute(
            """
            update reviews set is_flagged = $3, flag_reason = case when $3 then $4 end,
                flagged_at = case when $3 then now() end, flagged_by = $5, updated_at = now()
            where id = $2 and client_id = $1 and removed_at is null
            """,
            owner, review_id, flagged, reason, by,
        )
    )  # fmt: skip


async def set_priority(db: Executor, owner: UUID, review_id: UUID, priority: str) -> bool:
    return bool(
        await db.execute(
            """
            update reviews set priority = $3, updated_at = now()
            where id = $2 and client_id = $1 and removed_at is null
            """,
            owner, review_id, priority,
        )
    )  # fmt: skip


async def save_notes(db: Executor, owner: UUID, review_id: UUID, notes: str | None) -> bool:
    return bool(
        await db.execute(
            """
            update reviews set internal_notes = $3, updated_at = now()
            where id = $2 and client_id = $1 and removed_at is null
            """,
            owner, review_id, notes,
        )
    )  # fmt: skip


async def find(db: Executor, owner: UUID, review_id: UUID, *, lock: bool = False) -> Record | None:
    """A review with what writing about it needs: its own columns, the business and the client's settings.

    ``tone``, ``names_business``, ``names_reviewer``, ``signature``, ``drafting`` are settings or their defaults.
    """
    return await db.fetchrow(
        f"""
        select r.*, b.business_name, b.business_description, o.resource_name,
               coalesce(s.default_response_tone, 'professional') as tone,
               coalesce(s.include_business_name_in_response, true) as names_business,
               coalesce(s.include_reviewer_name_in_response, true) as names_reviewer,
               coalesce(s.response_signature, '') as signature,
               coalesce(s.ai_drafting_enabled, true) as drafting
        from reviews r
        left join oauth_resources o on o.id = r.oauth_resource_id
        left join review_settings s on s.client_id = r.client_id
        left join brand_assets b on b.user_id = r.client_id and b.superseded_at is null
        where r.id = $2 and r.client_id = $1 and r.removed_at is null {"for update of r" if lock else ""}
        """,  # noqa: S608  the lock is ours
        owner,
        review_id,
    )


async def set_mood(db: Executor, owner: UUID, review_id: UUID, version: datetime | None, mood: Mood | None) -> None:
    """What the AI thinks of a review, unless that was edited since *version*; with None, that it would not say."""
    await db.execute(
        """
        update reviews set sentiment_score = $4, sentiment_label = $5, sentiment_analyzed_at = now(), updated_at = now()
        where id = $2 and client_id = $1 and review_updated_at is not distinct from $3
        """,
        owner, review_id, version, f"{mood.score:.2f}" if mood else None, mood.label if mood else None,
    )  # fmt: skip


# --- drafts -----------------------------------------------------------------------------------------------------------


async def insert_draft(
    db: Executor,
    owner: UUID,
    review_id: UUID,
    text: str,
    *,
    model: str | None,
    prompt: str | None,
    params: Mapping[str, Any],
    by: UUID | None,
) -> Record:
    """A new draft: ``id`` and ``shown`` (JSON text)."""
    row = await db.fetchrow(
        f"""
        with d as (
            insert into review_response_drafts (
                review_id, client_id, draft_text, is_ai_generated, ai_model, ai_prompt_used, ai_generation_params,
                created_by)
            values ($2, $1, $3, $4::text is not null, $4, $5, $6, $7) returning *
        )
        select d.id, {_DRAFT}::text as shown from d
        """,  # noqa: S608  columns are ours
        owner, review_id, text, model, prompt, dict(params), by,
    )  # fmt: skip
    assert row is not None, "an insert returns its row"
    return row


async def draft(db: Executor, owner: UUID, draft_id: UUID) -> Record | None:
    """A draft whose review is still there, and is locked: review_id, status, draft_text, and ``sending`` while it is
    on its way to Google."""
    return await db.fetchrow(
        """
        select d.id, d.review_id, d.status, d.draft_text, coalesce(p.status = 'sending', false) as sending
        from review_response_drafts d
        join reviews r on r.id = d.review_id and r.removed_at is null
        left join review_replies p on p.draft_id = d.id
        where d.id = $2 and d.client_id = $1 for update of r
        """,
        owner,
        draft_id,
    )


async def change_draft(db: Executor, draft_id: UUID, **columns: object) -> str:
    """Set columns of a draft; the draft as JSON text."""
    names = list(columns)
    assignments = ", ".join(f"{name} = ${index}" for index, name in enumerate(names, start=2))
    text: str = await db.fetchval(
        f"""
        with d as (
            update review_response_drafts set {assignments}, updated_at = now() where id = $1 returning *
        )
        select json_build_object('draft', {_DRAFT})::text from d
        """,  # noqa: S608  names are keywords of our own calls
        draft_id,
        *columns.values(),
    )
    return text


async def reword_draft(db: Executor, draft_id: UUID, text: str) -> str:
    """A new version, which nobody has approved yet; the draft as JSON text."""
    shown: str = await db.fetchval(
        f"""
        with d as (
            update review_response_drafts
            set draft_text = $2, draft_version = draft_version + 1, status = 'draft', reviewed_by = null,
                reviewed_at = null, send_error = null, updated_at = now()
            where id = $1 returning *
        )
        select json_build_object('draft', {_DRAFT})::text from d
        """,  # noqa: S608  columns are ours
        draft_id,
        text,
    )
    return shown


# --- log --------------------------------------------------------------------------------------------------------------


async def log(
    db: Executor,
    owner: UUID,
    review_id: UUID | None,
    action: str,
    status: str,
    *,
    rule_id: UUID | None = None,
    draft_id: UUID | None = None,
    model: str | None = None,
    asked: Mapping[str, Any] | None = None,
    answered: Mapping[str, Any] | None = None,
    latency_ms: int | None = None,
    by: UUID | None = None,
    error: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    rule_key: str | None = None,
) -> UUID | None:
    """Write down what was done about a review; None when *rule_key* says that it was done before.

    ``asked`` and ``answered`` never hold a review's words: those are in its own row.
    """
    log_id: UUID | None = await db.fetchval(
        """
        insert into review_automation_logs (
            client_id, review_id, rule_id, draft_id, action_type, action_status, ai_model, ai_input, ai_output,
            ai_latency_ms, human_action_by, human_action, human_action_at, error_message, metadata, rule_key)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::uuid, case when $11::uuid is not null then $5 end,
                case when $11::uuid is not null then now() end, $12, $13, $14)
        on conflict (rule_key) where rule_key is not null do nothing
        returning id
        """,
        owner, review_id, rule_id, draft_id, action, status, model, dict(asked or {}), dict(answered or {}), latency_ms,
        by, error, dict(metadata or {}), rule_key,
    )  # fmt: skip
    return log_id


async def logs(db: Executor, owner: UUID, *, page: int, limit: int, review_id: UUID | None, action: str | None) -> str:
    """``{"logs": […], "pagination": {…}}`` as JSON text, newest first."""
    text: str = await db.fetchval(
        """
        with found as (
            select l.* from review_automation_logs l
            where l.client_id = $1 and ($4::uuid is null or l.review_id = $4)
              and ($5::text is null or l.action_type = $5)
        )
        select json_build_object(
            'logs', coalesce((
                select json_agg(json_build_object(
                    'id', l.id, 'client_id', l.client_id, 'review_id', l.review_id, 'rule_id', l.rule_id,
                    'draft_id', l.draft_id, 'action_type', l.action_type, 'action_status', l.action_status,
                    'ai_model', l.ai_model, 'ai_input', l.ai_input, 'ai_output', l.ai_output,
                    'ai_tokens_used', l.ai_tokens_used, 'ai_latency_ms', l.ai_latency_ms,
                    'human_action', l.human_action, 'human_action_by', l.human_action_by,
                    'human_action_at', iso(l.human_action_at), 'human_notes', l.human_notes,
                    'error_message', l.error_message, 'error_details', l.error_details, 'metadata', l.metadata,
                    'created_at', iso(l.created_at)
                ) order by l.created_at desc, l.id)
                from (select * from found order by created_at desc, id limit $3 offset ($2 - 1) * $3) l
            ), '[]'),
            'pagination', (
                select json_build_object('page', $2::int, 'limit', $3::int, 'total', count(*),
                                         'totalPages', ceil(count(*) / $3::numeric)::int)
                from found
            )
        )::text
        """,
        owner, page, limit, review_id, action,
    )  # fmt: skip
    return text
