"""SQL over syncs: whose turn it is, what a page changed, and what is no longer at Google."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.areas.reviews import rules
from shared.db.database import Executor, Record

_ACTIVE = """
    r.resource_type = 'google_location' and r.is_enabled and r.removed_at is null
    and c.is_connected and c.revoked_at is null and c.removed_at is null
"""


async def take_due(db: Executor, *, shortest_min: int) -> list[Record]:
    """Locations whose turn it is (client_id, location_id, unfinished), asked for now. A client may have said how often,
    or not at all."""
    return await db.fetch(
        f"""
        with due as (
            select r.id, r.client_id
            from oauth_resources r
            join oauth_connections c on c.id = r.oauth_connection_id
            left join review_settings s on s.client_id = r.client_id
            left join review_syncs y on y.oauth_resource_id = r.id
            where {_ACTIVE} and coalesce(s.auto_sync_enabled, true)
              and (y.lease_until is null or y.lease_until < now())
              and (y.asked_at is null or y.asked_at < now() + interval '1 minute' - make_interval(mins => case
                  when y.full_started_at is not null then $1
                  else greatest(coalesce(s.sync_interval_minutes, 60), $1) end))
        )
        insert into review_syncs (oauth_resource_id, client_id, asked_at) select id, client_id, now() from due
        on conflict (oauth_resource_id) do update set asked_at = now()
        returning client_id, oauth_resource_id as location_id, full_started_at is not null as unfinished
        """,  # noqa: S608  the condition is ours
        shortest_min,
    )


async def ask_again(db: Executor, location_id: UUID) -> None:
    """Have the next schedule ask for this location, whatever its interval."""
    await db.execute("update review_syncs set asked_at = null where oauth_resource_id = $1", location_id)


async def take_lease(db: Executor, owner: UUID, location_id: UUID, lease: UUID, lasts: timedelta) -> Record | None:
    """The location's sync state, when no other run holds it."""
    return await db.fetchrow(
        """
        insert into review_syncs as y (oauth_resource_id, client_id, lease_id, lease_until)
        values ($2, $1, $3, now() + $4)
        on conflict (oauth_resource_id) do update set lease_id = excluded.lease_id, lease_until = excluded.lease_until
        where y.lease_until is null or y.lease_until < now()
        returning y.*, now() as taken_at
        """,
        owner, location_id, lease, lasts,
    )  # fmt: skip


async def keep_lease(db: Executor, location_id: UUID, lease: UUID, lasts: timedelta) -> bool:
    """Whether the lease is still this run's; it is longer now, and the row is locked until the commit."""
    return bool(
        await db.execute(
            "update review_syncs set lease_until = now() + $3 where oauth_resource_id = $1 and lease_id = $2",
            location_id, lease, lasts,
        )
    )  # fmt: skip


async def end_lease(db: Executor, location_id: UUID, lease: UUID, error: str | None) -> None:
    await db.execute(
        """
        update review_syncs set lease_id = null, lease_until = null, last_error = $3
        where oauth_resource_id = $1 and lease_id = $2
        """,
        location_id, lease, error,
    )  # fmt: skip


async def begin_full(db: Executor, location_id: UUID) -> datetime:
    """All pages are read anew, from now on."""
    began: datetime = await db.fetchval(
        """
        update review_syncs set full_started_at = now(), full_page_token = null where oauth_resource_id = $1
        returning full_started_at
        """,
        location_id,
    )
    return began


async def move(db: Executor, owner: UUID, parent: str) -> None:
    """Give the client's reviews of a location the names that they have under *parent* (``accounts/1/locations/2``).

    Google's names begin with the account through which a location is reached: after another person has connected it,
    or it has changed its group, its reviews are still the same.
    """
    await db.execute(
        """
        with known as (
            select distinct on (review) id, $2 || '/reviews/' || review as name
            from (select *, split_part(platform_review_id, '/', 6) as review from reviews) r
            where client_id = $1 and platform = 'google' and split_part(platform_review_id, '/', 4) = $3
              and split_part(platform_review_id, '/', 2) <> $4
            order by review, removed_at desc nulls first, last_synced_at desc
        )
        update reviews r set platform_review_id = k.name from known k
        where r.id = k.id and not exists (
            select from reviews o where o.client_id = $1 and o.platform = 'google' and o.platform_review_id = k.name)
        """,
        owner, parent, parent.split("/")[3], parent.split("/")[1],
    )  # fmt: skip


async def keep_page(db: Executor, location_id: UUID, token: str) -> None:
    await db.execute("update review_syncs set full_page_token = $2 where oauth_resource_id = $1", location_id, token)


async def now(db: Executor) -> datetime:
    moment: datetime = await db.fetchval("select clock_timestamp()")
    return moment


async def store(
    db: Executor, owner: UUID, location_id: UUID, read_at: datetime, reviews: Sequence[dict[str, Any]]
) -> list[Record]:
    """Store a page's reviews (each name once): id, version, is_new, edited (words or stars), changed, ``waits``: it is
    news that the rules have not looked at, as it is now; and ``fell_from``: the stars it had, of one that lost some
    after it was looked at.

    One that loses stars draws attention as a new one does: it is flagged, and more urgent if it was less. A reply that
    we posted after Google was asked, or so shortly before that Google may not show it yet, stays.
    """
    return await db.fetch(
        """
        with given as (
            select * from jsonb_to_recordset($4) as g (
                name text, rating int, text text, reviewer text, photo text, created timestamptz, updated timestamptz,
                reply text, replied timestamptz, raw jsonb, priority text, flag text, news boolean)
        ), before as (
            select r.platform_review_id, r.rating, r.review_text, r.review_updated_at, r.removed_at, r.response_text
            from reviews r join given g on g.name = r.platform_review_id
            where r.client_id = $1 and r.platform = 'google'
        ), kept as (
            insert into reviews as r (
                client_id, oauth_resource_id, platform_review_id, reviewer_name, reviewer_photo_url, rating,
                review_text, review_created_at, review_updated_at, has_response, response_text, response_created_at,
                is_flagged, flag_reason, flagged_at, priority, raw_data, is_news, automated_at)
            select $1, $2, name, reviewer, photo, rating, text, created, updated, reply is not null, reply, replied,
                   flag is not null, flag, case when flag is not null then now() end, priority, raw, news,
                   case when not news then now() end
            from given order by name
            on conflict (client_id, platform, platform_review_id) do update set
                oauth_resource_id = excluded.oauth_resource_id,
                reviewer_name = excluded.reviewer_name,
                reviewer_photo_url = excluded.reviewer_photo_url,
                rating = excluded.rating,
                review_text = excluded.review_text,
                review_updated_at = excluded.review_updated_at,
                raw_data = excluded.raw_data,
                last_synced_at = now(),
                removed_at = null,
                has_response = case when r.replied_at > $3::timestamptz - interval '10 minutes'
                    then r.has_response else excluded.has_response end,
                response_text = case when r.replied_at > $3::timestamptz - interval '10 minutes'
                    then r.response_text else excluded.response_text end,
                response_created_at = case when r.replied_at > $3::timestamptz - interval '10 minutes'
                    then r.response_created_at
                    when excluded.has_response then coalesce(r.response_created_at, excluded.response_created_at) end,
                response_updated_at = case when r.replied_at > $3::timestamptz - interval '10 minutes'
                    then r.response_updated_at else excluded.response_created_at end,
                is_flagged = r.is_flagged or excluded.is_flagged and excluded.rating < r.rating,
                flag_reason = case when excluded.is_flagged and excluded.rating < r.rating and not r.is_flagged
                    then excluded.flag_reason else r.flag_reason end,
                flagged_at = case when excluded.is_flagged and excluded.rating < r.rating and not r.is_flagged
                    then excluded.flagged_at else r.flagged_at end,
                flagged_by = case when excluded.is_flagged and excluded.rating < r.rating and not r.is_flagged
                    then null else r.flagged_by end,
                priority = case when excluded.rating < r.rating
                    and array_position($5, excluded.priority) > array_position($5, r.priority)
                    then excluded.priority else r.priority end,
                sentiment_analyzed_at = case
                    when (r.rating, r.review_text) is distinct from (excluded.rating, excluded.review_text) then null
                    else r.sentiment_analyzed_at end,
                updated_at = case
                    when (r.rating, r.review_text, r.has_response, r.response_text)
                        is distinct from (excluded.rating, excluded.review_text, excluded.has_response,
                                          excluded.response_text) then now()
                    else r.updated_at end
            returning r.id, r.platform_review_id, r.review_updated_at, r.rating, r.review_text, r.response_text,
                      r.is_news, r.automated_at
        )
        select k.id, k.review_updated_at as version, b.platform_review_id is null as is_new,
               k.is_news and k.automated_at is null
                   and k.review_updated_at is distinct from b.review_updated_at as waits,
               case when k.automated_at is not null and k.rating < b.rating then b.rating end as fell_from,
               b.platform_review_id is not null
                   and (b.rating, b.review_text) is distinct from (k.rating, k.review_text) as edited,
               b.platform_review_id is not null
                   and ((b.rating, b.review_text, b.response_text) is distinct from
                        (k.rating, k.review_text, k.response_text) or b.removed_at is not null) as changed
        from kept k left join before b on b.platform_review_id = k.platform_review_id
        """,
        owner, location_id, read_at, list(reviews), list(rules.PRIORITIES),
    )  # fmt: skip


async def live_count(db: Executor, owner: UUID, location_id: UUID) -> int:
    count: int = await db.fetchval(
        """
        select count(*) from reviews
        where client_id = $1 and oauth_resource_id = $2 and platform = 'google' and removed_at is null
        """,
        owner,
        location_id,
    )
    return count


async def unseen(db: Executor, owner: UUID, location_id: UUID, since: datetime, limit: int) -> list[Record]:
    """Live reviews of the location that no page has shown since *since*: id, name."""
    return await db.fetch(
        """
        select id, platform_review_id as name from reviews
        where client_id = $1 and oauth_resource_id = $2 and platform = 'google' and removed_at is null
          and last_synced_at < $3
        order by last_synced_at, id limit $4
        """,
        owner, location_id, since, limit,
    )  # fmt: skip


async def remove(db: Executor, owner: UUID, review_id: UUID) -> None:
    """The review is gone at Google. Drafts that nobody sent are of no use any more."""
    await db.execute("update reviews set removed_at = now() where id = $2 and client_id = $1", owner, review_id)
    await db.execute(
        """
        update review_response_drafts set status = 'discarded', review_notes = 'The review was removed.',
            updated_at = now()
        where review_id = $2 and client_id = $1 and status in ('draft', 'approved', 'failed')
        """,
        owner,
        review_id,
    )


async def finished(db: Executor, location_id: UUID, newest: datetime | None, *, full: bool) -> None:
    await db.execute(
        """
        update review_syncs
        set synced_at = now(), cursor_at = greatest(cursor_at, $2),
            full_at = case when $3 then now() else full_at end,
            full_started_at = case when $3 then null else full_started_at end,
            full_page_token = case when $3 then null else full_page_token end
        where oauth_resource_id = $1
        """,
        location_id, newest, full,
    )  # fmt: skip


async def saw(db: Executor, owner: UUID, review_ids: Sequence[UUID]) -> None:
    """These are still at Google, although no page showed them: others are looked for before they are again."""
    await db.execute(
        "update reviews set last_synced_at = now() where client_id = $1 and id = any($2)", owner, review_ids
    )


async def failed(db: Executor, owner: UUID, error: str) -> None:
    """Why the client's reviews cannot be read."""
    await db.execute(
        """
        insert into review_settings (client_id, sync_error) values ($1, $2)
        on conflict (client_id) do update set sync_error = excluded.sync_error
        """,
        owner,
        error,
    )


async def sum_up(db: Executor, owner: UUID) -> None:
    """The numbers that the client's profile keeps, and that the reviews were read just now."""
    await db.execute(
        """
        update client_profiles p
        set reviews_enabled = true, reviews_last_sync_at = now(), reviews_total_count = n.total,
            reviews_average_rating = n.average, reviews_pending_response_count = n.pending
        from (
            select count(*) as total, round(avg(rating), 2) as average,
                   count(*) filter (where not has_response) as pending
            from reviews where client_id = $1 and removed_at is null
        ) n
        where p.user_id = $1
        """,
        owner,
    )
    await db.execute(
        """
        insert into review_settings (client_id, last_sync_at) values ($1, now())
        on conflict (client_id) do update set last_sync_at = now(), sync_error = null
        """,
        owner,
    )


async def review_url(db: Executor, location_id: UUID) -> str | None:
    url: str | None = await db.fetchval(
        """
        select review_url from review_syncs
        where oauth_resource_id = $1 and review_url_at > now() - interval '30 days'
        """,
        location_id,
    )
    return url


async def keep_review_url(db: Executor, owner: UUID, location_id: UUID, url: str) -> None:
    await db.execute(
        """
        insert into review_syncs (oauth_resource_id, client_id, review_url, review_url_at) values ($2, $1, $3, now())
        on conflict (oauth_resource_id) do update set review_url = excluded.review_url, review_url_at = now()
        """,
        owner, location_id, url,
    )  # fmt: skip


# With words that nobody has judged; news is judged by itself first.
_UNREAD = """client_id = $1 and sentiment_analyzed_at is null and removed_at is null and length(review_text) >= 10
    and (automated_at is not null or not is_news)"""


async def begin_reading(db: Executor, owner: UUID) -> bool:
    """Whether older reviews with words wait for somebody to judge their mood, and nobody is at it."""
    return bool(
        await db.execute(
            f"""
            update review_settings set reading_until = now() + interval '10 minutes'
            where client_id = $1 and (reading_until is null or reading_until < now())
              and exists (select from reviews where {_UNREAD})
            """,  # noqa: S608  the condition is ours
            owner,
        )
    )


async def keep_reading(db: Executor, owner: UUID) -> bool:
    """Whether some still wait; whoever asks goes on, or is done."""
    return bool(
        await db.fetchval(
            f"""
            update review_settings
            set reading_until = case
                when exists (select from reviews where {_UNREAD}) then now() + interval '10 minutes' end
            where client_id = $1 returning reading_until is not null
            """,  # noqa: S608  the condition is ours
            owner,
        )
    )


async def unread(db: Executor, owner: UUID, limit: int) -> list[Record]:
    """The newest of these: id, reviewer_name, rating, review_text, review_updated_at."""
    return await db.fetch(
        f"""
        select id, reviewer_name, rating, review_text, review_updated_at from reviews where {_UNREAD}
        order by review_created_at desc, id limit $2
        """,  # noqa: S608  the condition is ours
        owner,
        limit,
    )
