"""SQL over a client's settings and automation rules."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from shared.db.database import Executor, Record

_SETTINGS = """json_build_object(
    'client_id', $1::uuid, 'auto_sync_enabled', coalesce(s.auto_sync_enabled, true),
    'sync_interval_minutes', coalesce(s.sync_interval_minutes, 60), 'last_sync_at', iso(s.last_sync_at),
    'sync_error', s.sync_error,
    'auto_flag_threshold', case when s.client_id is null then 3 else s.auto_flag_threshold end,
    'auto_flag_keywords', coalesce(s.auto_flag_keywords, '{}'),
    'notify_new_reviews', coalesce(s.notify_new_reviews, true),
    'notify_negative_reviews', coalesce(s.notify_negative_reviews, true),
    'negative_review_threshold', case when s.client_id is null then 3 else s.negative_review_threshold end,
    'notification_emails', coalesce(s.notification_emails, '{}'),
    'default_response_tone', coalesce(s.default_response_tone, 'professional'),
    'include_business_name_in_response', coalesce(s.include_business_name_in_response, true),
    'include_reviewer_name_in_response', coalesce(s.include_reviewer_name_in_response, true),
    'response_signature', s.response_signature, 'ai_drafting_enabled', coalesce(s.ai_drafting_enabled, true),
    'ai_auto_draft_positive', coalesce(s.ai_auto_draft_positive, false),
    'ai_auto_draft_negative', coalesce(s.ai_auto_draft_negative, false),
    'default_review_request_template', s.default_review_request_template,
    'review_link_base_url', s.review_link_base_url,
    'created_at', iso(s.created_at), 'updated_at', iso(s.updated_at)
)"""
_RULE = """json_build_object(
    'id', a.id, 'client_id', a.client_id, 'name', a.name, 'description', a.description, 'is_active', a.is_active,
    'min_rating', a.min_rating, 'max_rating', a.max_rating, 'sentiment_filter', coalesce(a.sentiment_filter, '{}'),
    'keyword_triggers', coalesce(a.keyword_triggers, '{}'),
    'keyword_exclusions', coalesce(a.keyword_exclusions, '{}'), 'location_ids', coalesce(a.location_ids, '{}'),
    'action_type', a.action_type, 'response_template', a.response_template,
    'use_ai_personalization', a.use_ai_personalization, 'ai_tone', a.ai_tone,
    'requires_approval', a.requires_approval, 'approval_threshold_rating', a.approval_threshold_rating,
    'notify_on_trigger', a.notify_on_trigger, 'notification_emails', coalesce(a.notification_emails, '{}'),
    'delay_minutes', a.delay_minutes, 'daily_limit', a.daily_limit, 'hourly_limit', a.hourly_limit,
    'executions_today', case when a.executions_day = current_date then a.executions_today else 0 end,
    'executions_this_hour',
    case when a.executions_hour = date_trunc('hour', now()) then a.executions_this_hour else 0 end,
    'last_reset_at', iso(a.last_reset_at), 'priority', a.priority, 'created_by', a.created_by,
    'created_at', iso(a.created_at), 'updated_at', iso(a.updated_at)
)"""


async def settings(db: Executor, owner: UUID) -> str:
    """``{"settings": {…}}`` as JSON text; the defaults where nothing was saved."""
    text: str = await db.fetchval(
        f"""
        select json_build_object('settings', {_SETTINGS})::text
        from (select $1::uuid as id) c left join review_settings s on s.client_id = c.id
        """,  # noqa: S608  columns are ours
        owner,
    )
    return text


async def save_settings(db: Executor, owner: UUID, columns: Mapping[str, object]) -> None:
    """Set the given columns (names of ``SaveSettings``), beside what is there already."""
    names = list(columns)
    listed = "".join(f", {name}" for name in names)
    values = "".join(f", ${index}" for index in range(2, len(names) + 2))
    changes = "".join(f"{name} = excluded.{name}, " for name in names)
    await db.execute(
        f"""
        insert into review_settings (client_id{listed}) values ($1{values})
        on conflict (client_id) do update set {changes} updated_at = now()
        """,  # noqa: S608  names are a model's
        owner,
        *columns.values(),
    )


async def attention(db: Executor, owner: UUID) -> Record:
    """What draws attention to a review: ``threshold`` (stars, perhaps null) and ``keywords``."""
    row = await db.fetchrow(
        """
        select case when s.client_id is null then 3 else s.auto_flag_threshold end as threshold,
               coalesce(s.auto_flag_keywords, '{}') as keywords
        from (select $1::uuid as id) c left join review_settings s on s.client_id = c.id
        """,
        owner,
    )
    assert row is not None, "the client's id is always a row"
    return row


async def wishes(db: Executor, owner: UUID) -> Record:
    """What is to happen by itself: notify_new, notify_negative, negative_at, emails, auto_positive, auto_negative,
    request_template, link_base."""
    row = await db.fetchrow(
        """
        select coalesce(s.notify_new_reviews, true) as notify_new,
               coalesce(s.notify_negative_reviews, true) as notify_negative,
               coalesce(s.negative_review_threshold, 3) as negative_at,
               coalesce(s.notification_emails, '{}') as emails,
               coalesce(s.ai_drafting_enabled, true) and coalesce(s.ai_auto_draft_positive, false) as auto_positive,
               coalesce(s.ai_drafting_enabled, true) and coalesce(s.ai_auto_draft_negative, false) as auto_negative,
               s.default_review_request_template as request_template, s.review_link_base_url as link_base,
               b.business_name
        from (select $1::uuid as id) c
        left join review_settings s on s.client_id = c.id
        left join brand_assets b on b.user_id = c.id and b.superseded_at is null
        """,
        owner,
    )
    assert row is not None, "the client's id is always a row"
    return row


async def rules_of(db: Executor, owner: UUID) -> str:
    """``{"rules": […]}`` as JSON text: the first to be asked first."""
    text: str = await db.fetchval(
        f"""
        select json_build_object(
            'rules', coalesce(json_agg({_RULE} order by a.priority desc, a.created_at desc, a.id), '[]'))::text
        from review_automation_rules a where a.client_id = $1
        """,  # noqa: S608  columns are ours
        owner,
    )
    return text


async def insert_rule(db: Executor, owner: UUID, columns: Mapping[str, object], by: UUID) -> str:
    names = list(columns)
    listed = "".join(f", {name}" for name in names)
    values = "".join(f", ${index}" for index in range(3, len(names) + 3))
    text: str = await db.fetchval(
        f"""
        with a as (
            insert into review_automation_rules (client_id, created_by{listed}) values ($1, $2{values}) returning *
        )
        select json_build_object('rule', {_RULE})::text from a
        """,  # noqa: S608  names are a model's
        owner,
        by,
        *columns.values(),
    )
    return text


async def rule(db: Executor, owner: UUID, rule_id: UUID | None, *, lock: bool = False) -> Record | None:
    return await db.fetchrow(
        f"select * from review_automation_rules where id = $2 and client_id = $1 {'for update' if lock else ''}",  # noqa: S608
        owner,
        rule_id,
    )


async def update_rule(db: Executor, owner: UUID, rule_id: UUID, columns: Mapping[str, object]) -> str:
    names = list(columns)
    changes = ", ".join(f"{name} = ${index}" for index, name in enumerate(names, start=3))
    text: str = await db.fetchval(
        f"""
        with a as (
            update review_automation_rules set {changes}, updated_at = now()
            where id = $2 and client_id = $1 returning *
        )
        select json_build_object('rule', {_RULE})::text from a
        """,  # noqa: S608  names are a model's
        owner,
        rule_id,
        *columns.values(),
    )
    return text


async def delete_rule(db: Executor, owner: UUID, rule_id: UUID) -> bool:
    return bool(
        await db.execute("delete from review_automation_rules where id = $2 and client_id = $1", owner, rule_id)
    )


async def active_rules(db: Executor, owner: UUID) -> list[Record]:
    """The rules to ask, in their order."""
    return await db.fetch(
        """
        select * from review_automation_rules where client_id = $1 and is_active
        order by priority desc, created_at desc, id
        """,
        owner,
    )


async def count_execution(db: Executor, rule_id: UUID) -> bool:
    """Count one execution of the rule against its limits; False, and nothing counted, when one is reached.

    Days and hours are UTC's and begin anew by themselves.
    """
    return bool(
        await db.execute(
            """
            update review_automation_rules
            set executions_today = 1 + case when executions_day = current_date then executions_today else 0 end,
                executions_day = current_date,
                executions_this_hour = 1
                    + case when executions_hour = date_trunc('hour', now()) then executions_this_hour else 0 end,
                executions_hour = date_trunc('hour', now()),
                last_reset_at = case when executions_hour = date_trunc('hour', now()) then last_reset_at else now() end
            where id = $1
              and (daily_limit is null or executions_day is distinct from current_date
                   or executions_today < daily_limit)
              and (hourly_limit is null or executions_hour is distinct from date_trunc('hour', now())
                   or executions_this_hour < hourly_limit)
            """,
            rule_id,
        )
    )


async def own_locations(db: Executor, owner: UUID, ids: list[str]) -> int:
    """How many of these ids are locations of the client's."""
    count: int = await db.fetchval(
        """
        select count(*) from oauth_resources
        where client_id = $1 and resource_type = 'google_location' and removed_at is null and id::text = any($2)
        """,
        owner,
        ids,
    )
    return count


async def connection(db: Executor, owner: UUID) -> str:
    """What the panel shows of the client's Google connection, as JSON text: the one that works and changed last, else
    the last one."""
    text: str = await db.fetchval(
        """
        with c as (
            select * from oauth_connections where client_id = $1 and provider = 'google' and removed_at is null
            order by (is_connected and revoked_at is null) desc, updated_at desc, id limit 1
        ), r as (
            select o.* from oauth_resources o
            where o.client_id = $1 and o.resource_type = 'google_location' and o.removed_at is null
              and o.oauth_connection_id in (
                select id from oauth_connections where client_id = $1 and provider = 'google' and removed_at is null)
        )
        select json_build_object(
            'isConnected', coalesce((select is_connected and revoked_at is null from c), false),
            'connection', (select json_build_object(
                'id', id, 'accountName', provider_account_name, 'accountId', provider_account_id,
                'hasValidToken', is_connected and revoked_at is null and (
                    coalesce(encrypted_refresh_token, '') <> ''
                    or coalesce(encrypted_access_token, '') <> '' and (expires_at is null or expires_at > now())),
                'lastError', last_error, 'scopesGranted', scope_granted, 'connectedAt', iso(created_at)) from c),
            'locations', coalesce((select json_agg(json_build_object(
                'id', id, 'resource_id', resource_id, 'resource_name', resource_name, 'resource_url', resource_url,
                'is_primary', is_primary, 'is_enabled', is_enabled, 'created_at', iso(created_at)
            ) order by is_primary desc, resource_name, id) from r), '[]'),
            'totalLocations', (select count(*) from r),
            'enabledLocations', (select count(*) from r where is_enabled)
        )::text
        """,
        owner,
    )
    return text


async def locations(db: Executor, owner: UUID) -> str:
    """``{"locations": […]}`` as JSON text: the primary one first, then by name."""
    text: str = await db.fetchval(
        """
        select json_build_object('locations', coalesce(json_agg(json_build_object(
            'id', r.id, 'resource_id', r.resource_id, 'resource_name', r.resource_name, 'resource_url', r.resource_url,
            'is_primary', r.is_primary, 'is_enabled', r.is_enabled, 'connection_name', c.provider_account_name,
            'connection_active', c.is_connected and c.revoked_at is null, 'last_synced_at', iso(y.synced_at),
            'sync_error', y.last_error
        ) order by r.is_primary desc, r.resource_name, r.id), '[]'))::text
        from oauth_resources r
        join oauth_connections c on c.id = r.oauth_connection_id and c.removed_at is null
        left join review_syncs y on y.oauth_resource_id = r.id
        where r.client_id = $1 and r.resource_type = 'google_location' and r.removed_at is null
        """,
        owner,
    )
    return text
