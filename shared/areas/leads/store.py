"""SQL over calls as syncs, labels and ratings change them, and over what a sync knows of its client."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.areas.leads.rules import Known, Rating, Stored
from shared.db.database import Executor, Record

RESEND_AFTER = timedelta(hours=1)  # work about a call that was sent so long ago and is not done was lost, or given up


async def account(db: Executor, owner: UUID) -> Record | None:
    """A client's CTM credentials as they are stored, its cursor, and where a full sync stopped."""
    return await db.fetchrow(
        """
        select p.ctm_account_number, p.ctm_api_key, p.ctm_api_secret, p.ctm_sync_cursor, p.ctm_last_page_token,
               p.ai_prompt, coalesce(p.auto_star_enabled, false) as auto_star, s.deep_at
        from client_profiles p left join lead_syncs s on s.owner_user_id = p.user_id
        where p.user_id = $1
        """,
        owner,
    )


async def connected_clients(db: Executor) -> list[UUID]:
    """Every client with complete CTM credentials."""
    rows = await db.fetch(
        """
        select user_id from client_profiles
        where nullif(ctm_account_number, '') is not null and nullif(ctm_api_key, '') is not null
          and nullif(ctm_api_secret, '') is not null
        order by user_id
        """
    )
    return [row["user_id"] for row in rows]


async def take_lease(db: Executor, owner: UUID, token: UUID, lasts: timedelta) -> bool:
    """Whether the client is this run's to sync; False while another one syncs it."""
    taken = await db.fetchval(
        """
        insert into lead_syncs as s (owner_user_id, lease_token, lease_until)
        values ($1, $2, clock_timestamp() + $3::interval)
        on conflict (owner_user_id) do update
            set lease_token = excluded.lease_token, lease_until = excluded.lease_until
            where s.lease_until is null or s.lease_until < clock_timestamp()
        returning true
        """,
        owner, token, lasts,
    )  # fmt: skip
    return bool(taken)


async def keep_lease(db: Executor, owner: UUID, token: UUID, lasts: timedelta, account_number: str) -> bool:
    """Prolong the lease; its row and the client's account stay as they are until the transaction ends.

    False when another run has taken the lease, or the client is no longer connected to this account.
    """
    return bool(
        await db.execute(
            """
            with account as (
                select user_id from client_profiles where user_id = $1 and ctm_account_number = $4 for share
            )
            update lead_syncs set lease_until = clock_timestamp() + $3::interval
            from account where owner_user_id = account.user_id and lease_token = $2
            """,
            owner, token, lasts, account_number,
        )
    )  # fmt: skip


async def is_leased(db: Executor, owner: UUID) -> bool:
    """Whether a sync of the client is running."""
    return bool(
        await db.fetchval("select lease_until > clock_timestamp() from lead_syncs where owner_user_id = $1", owner)
    )


async def follow_account(db: Executor, owner: UUID, account_number: str) -> None:
    """Note whose calls are read; what is known of reading another account's is forgotten."""
    before = await db.fetchval("select ctm_account_number from lead_syncs where owner_user_id = $1", owner)
    if before == account_number:
        return
    await db.execute("update lead_syncs set ctm_account_number = $2 where owner_user_id = $1", owner, account_number)
    if before is not None:
        await db.execute("update lead_syncs set deep_at = null where owner_user_id = $1", owner)
        await forget_cursor(db, owner)


async def release_lease(db: Executor, owner: UUID, token: UUID) -> None:
    await db.execute(
        "update lead_syncs set lease_until = null, lease_token = null where owner_user_id = $1 and lease_token = $2",
        owner, token,
    )  # fmt: skip


async def hold_lease_row(db: Executor, owner: UUID) -> None:
    """Until the transaction ends, no sync of this client can pass its fence."""
    await db.execute("select from lead_syncs where owner_user_id = $1 for update", owner)


async def keep_page_token(db: Executor, owner: UUID, token: str | None) -> None:
    await db.execute("update client_profiles set ctm_last_page_token = $2 where user_id = $1", owner, token)


async def advance_cursor(db: Executor, owner: UUID, newest: datetime | None, *, deep: bool) -> None:
    """Everything up to *newest* is stored: the cursor moves there, never back; *deep*: a long window was read."""
    await db.execute(
        """
        update client_profiles set ctm_sync_cursor = greatest(ctm_sync_cursor, least($2, clock_timestamp()))
        where user_id = $1 and $2::timestamptz is not null
        """,
        owner, newest,
    )  # fmt: skip
    if deep:
        await db.execute("update lead_syncs set deep_at = clock_timestamp() where owner_user_id = $1", owner)


async def forget_cursor(db: Executor, owner: UUID) -> None:
    await db.execute(
        "update client_profiles set ctm_sync_cursor = null, ctm_last_page_token = null where user_id = $1", owner
    )


async def now(db: Executor) -> datetime:
    """The database's clock, which every time in these tables is of."""
    moment: datetime = await db.fetchval("select clock_timestamp()")
    return moment


async def known(db: Executor, owner: UUID, call_ids: Sequence[str]) -> dict[str, Known]:
    """What is stored of these calls, which stay locked until the transaction ends."""
    rows = await db.fetch(
        """
        select call_id, from_number, coalesce(score, 0) as score, score_by, ctm_score, rating_pending,
               rating_touched_at, coalesce(rating_push_until > clock_timestamp(), false) as posting,
               category, category_by, summary,
               meta ->> 'classification' as classification, text_version, classified_version, ctm_hash
        from call_logs where owner_user_id = $1 and call_id = any($2)
        order by call_id for update
        """,
        owner, list(call_ids),
    )  # fmt: skip
    return {
        row["call_id"]: Known(
            rating=Rating(
                score=row["score"],
                by=row["score_by"],
                agreed=row["ctm_score"],
                pending=row["rating_pending"],
                posting=row["posting"],
                touched_at=row["rating_touched_at"],
            ),
            from_number=row["from_number"],
            category=row["category"],
            category_by=row["category_by"],
            summary=row["summary"],
            classification=row["classification"],
            text_version=row["text_version"],
            classified_version=row["classified_version"],
            ctm_hash=row["ctm_hash"],
        )
        for row in rows
    }


async def store(db: Executor, owner: UUID, calls: Sequence[Stored]) -> None:
    """Insert the new ones of *calls* and update the others, in one statement."""
    rows = [
        {
            "is_new": call.is_new,
            "call_id": call.call_id,
            "direction": call.direction,
            "from_number": call.from_number,
            "to_number": call.to_number,
            "started_at": call.started_at,
            "duration_sec": call.duration_sec,
            "score": call.rating.score,
            "score_by": call.rating.by,
            "ctm_score": call.rating.agreed,
            "rating_pending": call.rating.pending,
            "category_by": call.category_by,
            "text_version": call.text_version,
            "classified_version": call.classified_version,
            "ctm_hash": call.ctm_hash,
            "meta": call.meta,
        }
        for call in calls
    ]
    await db.execute(
        """
        with told as (
            select * from jsonb_to_recordset($2) as told (
                is_new boolean, call_id text, direction text, from_number text, to_number text, started_at timestamptz,
                duration_sec int, score int, score_by text, ctm_score int, rating_pending boolean, category_by text,
                text_version text, classified_version text, ctm_hash text, meta jsonb)
        ), updated as (
            update call_logs c set
                direction = told.direction, from_number = told.from_number, to_number = told.to_number,
                started_at = told.started_at, duration_sec = told.duration_sec, score = told.score,
                score_by = told.score_by, ctm_score = told.ctm_score, rating_pending = told.rating_pending,
                category_by = told.category_by, text_version = told.text_version,
                classified_version = told.classified_version, ctm_hash = told.ctm_hash,
                classify_sent_at = case when told.text_version is not distinct from c.text_version
                                        then c.classify_sent_at end,
                classify_until = case when told.text_version is not distinct from c.text_version
                                      then c.classify_until end,
                classify_attempts = case when told.text_version is not distinct from c.text_version
                                         then c.classify_attempts else 0 end,
                meta = c.meta || told.meta
            from told where not told.is_new and c.owner_user_id = $1 and c.call_id = told.call_id
        )
        insert into call_logs (
            owner_user_id, call_id, direction, from_number, to_number, started_at, duration_sec, score, score_by,
            ctm_score, rating_pending, category_by, text_version, classified_version, ctm_hash, meta)
        select $1, call_id, direction, from_number, to_number, started_at, duration_sec, score, score_by,
               ctm_score, rating_pending, category_by, text_version, classified_version, ctm_hash, meta
        from told where is_new
        """,
        owner, rows,
    )  # fmt: skip


async def delete_missing(db: Executor, owner: UUID, kept: Sequence[str], since: datetime) -> int:
    """Delete the calls since *since* that are not among *kept*; return how many there were."""
    return await db.execute(
        """
        delete from call_logs c using (
            select call_id from call_logs where owner_user_id = $1 and started_at >= $3
            except select unnest($2::text[])
        ) gone
        where c.owner_user_id = $1 and c.call_id = gone.call_id
        """,
        owner, list(kept), since,
    )  # fmt: skip


async def refresh_callers(db: Executor, owner: UUID, numbers: Sequence[str] | None) -> None:
    """Say anew of every call from *numbers* (all, when None) which call of its caller it is, and who the caller is.

    An active client with this number, or a lead whose journey made them one: ``active_client``; one in the archive:
    ``returning_customer``; an earlier call: ``repeat``; else ``new``. What a person linked or unlinked stays. The
    order in which calls were stored makes no difference.
    """
    await db.execute(
        """
        with callers as (
            select distinct caller_key from call_logs
            where owner_user_id = $1 and caller_key is not null
              and ($2::text[] is null or caller_key in (select phone_key(n) from unnest($2::text[]) n))
        ), standing as (
            select callers.caller_key, a.id as active_client_id,
                   case when a.archived_at is null and a.id is not null or j.live then 'active_client'
                        when a.id is not null or j.past then 'returning_customer' end as caller_type
            from callers
            left join lateral (
                select id, archived_at from active_clients
                where owner_user_id = $1 and phone_key(client_phone) = callers.caller_key
                order by archived_at is not null, created_at desc limit 1
            ) a on true
            left join lateral (
                select bool_or(archived_at is null) as live, bool_or(archived_at is not null) as past
                from client_journeys
                where owner_user_id = $1 and phone_key(client_phone) = callers.caller_key
                  and status in ('active_client', 'won')
            ) j on true
        ), told as (
            select c.id, s.active_client_id, s.caller_type,
                   row_number() over (
                       partition by c.caller_key order by c.started_at nulls first, c.call_id
                   )::int as call_sequence
            from call_logs c join standing s using (caller_key) where c.owner_user_id = $1
        ), said as (
            select t.id, t.call_sequence,
                   case c.client_link when 'linked' then c.active_client_id when 'unlinked' then null
                        else t.active_client_id end as active_client_id,
                   case when c.client_link = 'linked' then c.caller_type
                        when c.client_link is null and t.caller_type is not null then t.caller_type
                        when t.call_sequence > 1 then 'repeat' else 'new' end as caller_type
            from told t join call_logs c on c.id = t.id
        )
        update call_logs c
        set call_sequence = said.call_sequence, caller_type = said.caller_type, active_client_id = said.active_client_id
        from said
        where c.id = said.id and (c.call_sequence, c.caller_type, c.active_client_id)
            is distinct from (said.call_sequence, said.caller_type, said.active_client_id)
        """,
        owner, None if numbers is None else list(numbers),
    )  # fmt: skip


# Labels


async def claim_unlabelled(
    db: Executor, owner: UUID, *, at_most: int, lasts: timedelta, not_tried_since: datetime
) -> list[Record]:
    """Calls whose words have no label and are nobody's work right now, newest first: they are this run's for a while.

    One that was tried since *not_tried_since*, or waits as a message, is left to Pub/Sub's back-off.
    """
    return await db.fetch(
        """
        update call_logs c
        set classify_until = clock_timestamp() + $3::interval
        from (
            select id from call_logs
            where owner_user_id = $1
              and coalesce(classify_sent_at < clock_timestamp() - $5::interval, true)
              and text_version is distinct from classified_version and text_version is not null
              and coalesce(classify_until < $4, true)
            order by started_at desc nulls last limit $2 for update skip locked
        ) due
        where c.id = due.id
        returning c.call_id, c.text_version, c.classify_attempts, c.meta ->> 'transcript' as transcript,
               c.meta ->> 'message' as message,
               coalesce(c.meta ->> 'is_voicemail' = 'true', false) as voicemail
        """,
        owner, at_most, lasts, not_tried_since, RESEND_AFTER,
    )  # fmt: skip


async def claim_call(db: Executor, owner: UUID, call_id: str, version: str, lasts: timedelta) -> Record | None:
    """One call to label, for this run for a while; None when it has its label, other words, or another run has it."""
    return await db.fetchrow(
        """
        update call_logs c
        set classify_until = clock_timestamp() + $4::interval
        where owner_user_id = $1 and call_id = $2 and text_version = $3
              and text_version is distinct from classified_version and text_version is not null
              and coalesce(classify_until < clock_timestamp(), true)
        returning c.call_id, c.text_version, c.classify_attempts, c.meta ->> 'transcript' as transcript,
               c.meta ->> 'message' as message,
               coalesce(c.meta ->> 'is_voicemail' = 'true', false) as voicemail
        """,
        owner, call_id, version, lasts,
    )  # fmt: skip


async def awaits_label(db: Executor, owner: UUID, call_id: str, version: str) -> bool:
    return bool(
        await db.fetchval(
            """
            select text_version is distinct from classified_version from call_logs
            where owner_user_id = $1 and call_id = $2 and text_version = $3
            """,
            owner, call_id, version,
        )
    )  # fmt: skip


async def give_back(
    db: Executor, owner: UUID, call_id: str, version: str, reason: str | None, *, unusable: bool = False
) -> None:
    """The label could not be had, for *reason* or for want of time: the call is free for the next one who tries.

    *unusable*: the AI did answer.
    """
    await db.execute(
        """
        update call_logs set classify_until = clock_timestamp(), classify_error = $4,
            classify_attempts = classify_attempts + $5::boolean::int
        where owner_user_id = $1 and call_id = $2 and text_version = $3
        """,
        owner, call_id, version, reason and reason[:200], unusable,
    )  # fmt: skip


async def waiting_without_ctm(db: Executor) -> list[UUID]:
    """Clients with unlabelled calls that no sync will come to: they are not connected to CTM, or no longer."""
    rows = await db.fetch(
        """
        select distinct c.owner_user_id from call_logs c left join client_profiles p on p.user_id = c.owner_user_id
        where c.text_version is distinct from c.classified_version and c.text_version is not null
          and (nullif(p.ctm_account_number, '') is null or nullif(p.ctm_api_key, '') is null
               or nullif(p.ctm_api_secret, '') is null)
        """
    )
    return [row["owner_user_id"] for row in rows]


async def take_unsent(db: Executor, owner: UUID, at_most: int) -> list[Record]:
    """Mark unlabelled calls as sent to Pub/Sub, and return them: those not sent yet, or sent too long ago."""
    return await db.fetch(
        """
        update call_logs c set classify_sent_at = clock_timestamp()
        from (
            select id from call_logs
            where owner_user_id = $1
              and coalesce(classify_sent_at < clock_timestamp() - $3::interval, true)
              and text_version is distinct from classified_version and text_version is not null
              and coalesce(classify_until < clock_timestamp(), true)
            order by started_at desc nulls last limit $2 for update skip locked
        ) due
        where c.id = due.id
        returning c.call_id, c.text_version
        """,
        owner, at_most, RESEND_AFTER,
    )  # fmt: skip


async def set_label(
    db: Executor,
    owner: UUID,
    call_id: str,
    version: str,
    *,
    classification: str,
    summary: str,
    category: str,
    stars: int,
) -> Record | None:
    """Keep what the AI found about these words; None when they have their label, or are no longer the call's words.

    The category follows unless a person or a rating decided it. *stars* are given when nobody ever rated the call
    here or in CTM. Returns ``starred`` and ``needs_attention`` (it is news), with what a notification says.
    """
    return await db.fetchrow(
        """
        with before as (
            select id, category as category_before, reclassify_requested_at is not null as again,
                   coalesce(score, 0) = 0 and coalesce(category_by, '') not in ('user', 'rating') as free,
                   coalesce(score, 0) = 0 and score_by is null and ctm_score = 0 as unrated
            from call_logs
            where owner_user_id = $1 and call_id = $2 and text_version = $3 and classified_version is distinct from $3
            for update
        )
        update call_logs c set
            meta = c.meta || jsonb_build_object('classification', $4::text, 'classification_summary', $5::text)
                || case when b.free then jsonb_build_object('category', $6::text) else '{}' end
                || case when b.again then jsonb_build_object('reclassified_at', iso(clock_timestamp())) else '{}' end,
            category_by = case when b.free then 'ai' else c.category_by end,
            classified_version = $3, classify_until = null, classify_error = null, reclassify_requested_at = null,
            score = case when b.free and b.unrated and not b.again and $7 > 0 then $7 else c.score end,
            score_by = case when b.free and b.unrated and not b.again and $7 > 0 then 'auto' else c.score_by end,
            rating_pending = c.rating_pending or (b.free and b.unrated and not b.again and $7 > 0),
            rating_rev = c.rating_rev + (b.free and b.unrated and not b.again and $7 > 0)::int,
            rating_touched_at = case when b.free and b.unrated and not b.again and $7 > 0
                                     then clock_timestamp() else c.rating_touched_at end
        from before b
        where c.id = b.id
        returning b.free and b.unrated and not b.again and $7 > 0 as starred,
                  b.free and not b.again and $6 = 'needs_attention' and b.category_before <> $6 as needs_attention,
                  c.meta ->> 'caller_name' as caller_name, c.meta ->> 'caller_number' as caller_number
        """,
        owner, call_id, version, classification, summary, category, stars,
    )  # fmt: skip


async def set_refused(db: Executor, owner: UUID, call_id: str, version: str, reason: str, summary: str) -> None:
    """The AI will never label these words: the call stays as it is, says so, and is not asked about again."""
    await db.execute(
        """
        update call_logs set classified_version = $3, classify_until = null, classify_error = $4,
            reclassify_requested_at = null,
            meta = case when summary is not null then meta
                        else meta || jsonb_build_object('classification_summary', $5::text) end
        where owner_user_id = $1 and call_id = $2 and text_version = $3
        """,
        owner, call_id, version, reason[:200], summary,
    )  # fmt: skip


async def notify(db: Executor, owner: UUID, title: str, body: str, link: str, meta: dict[str, Any]) -> None:
    await db.execute(
        "insert into notifications (user_id, title, body, link_url, meta) values ($1, $2, $3, $4, $5)",
        owner, title, body, link, meta,
    )  # fmt: skip


async def request_reclassification(db: Executor, owner: UUID, limit: int, *, force: bool) -> Record:
    """Ask for a new label of the newest *limit* calls that have words: ``scanned``, ``asked``.

    Without *force*, only of those that have no category or no summary. A call of the old server gets its version here.
    """
    row = await db.fetchrow(
        """
        with newest as (
            select id, category, summary from call_logs
            where owner_user_id = $1
              and (text_version is not null
                   or length(btrim(coalesce(nullif(meta ->> 'transcript', ''), meta ->> 'message', ''))) > 10)
            order by started_at desc nulls last, call_id desc limit $2 for update
        ), asked as (
            update call_logs c set
                text_version = coalesce(c.text_version, left(encode(sha256(convert_to(
                    coalesce(nullif(c.meta ->> 'transcript', ''), c.meta ->> 'message'), 'UTF8')), 'hex'), 16)),
                classified_version = null, classify_sent_at = null, classify_error = null, classify_attempts = 0,
                reclassify_requested_at = clock_timestamp()
            from newest n
            where c.id = n.id and ($3 or n.summary is null or n.category = 'unreviewed')
            returning 1
        )
        select (select count(*)::int from newest) as scanned, (select count(*)::int from asked) as asked
        """,
        owner, limit, force,
    )  # fmt: skip
    assert row is not None, "a select without from has one row"
    return row


async def reclassification(db: Executor, owner: UUID) -> Record:
    """How far a reclassification is: ``waiting`` calls and of these the ``failing`` ones, and the last time asked."""
    row = await db.fetchrow(
        """
        select count(*)::int as waiting, count(classify_error)::int as failing, min(reclassify_requested_at) as since
        from call_logs
        where owner_user_id = $1 and text_version is distinct from classified_version
          and reclassify_requested_at is not null
        """,
        owner,
    )
    assert row is not None, "an aggregate has one row"
    return row


# Ratings


async def set_rating(db: Executor, owner: UUID, call_id: str, score: int) -> Record | None:
    """Set a person's rating (0 = none), which CTM has not got yet.

    Returns the category as it was, with who decided it; None when there is no such call.
    """
    return await db.fetchrow(
        """
        update call_logs set score = $3, score_by = 'user', rating_pending = true, rating_rev = rating_rev + 1,
            rating_touched_at = clock_timestamp()
        where owner_user_id = $1 and call_id = $2
        returning category, category_by, meta ->> 'classification' as classification
        """,
        owner, call_id, score,
    )  # fmt: skip


async def set_category(db: Executor, owner: UUID, call_id: str, category: str | None, by: str | None) -> bool:
    """Set who decided the category and, unless it is None, the category; False when there is no such call."""
    return bool(
        await db.execute(
            """
            update call_logs set category_by = $4,
                meta = case when $3::text is null then meta else meta || jsonb_build_object('category', $3::text) end
            where owner_user_id = $1 and call_id = $2
            """,
            owner, call_id, category, by,
        )
    )  # fmt: skip


async def take_rating_to_post(db: Executor, owner: UUID, call_id: str, lasts: timedelta) -> Record | None:
    """The rating to post, with the lease to post it; None when another run has the lease or nothing is pending."""
    return await db.fetchrow(
        """
        update call_logs set rating_push_until = clock_timestamp() + $3::interval
        where owner_user_id = $1 and call_id = $2 and rating_pending
          and (rating_push_until is null or rating_push_until < clock_timestamp())
        returning coalesce(score, 0) as score, score_by, ctm_score, rating_rev, started_at
        """,
        owner, call_id, lasts,
    )  # fmt: skip


async def waiting_rating(db: Executor, owner: UUID) -> str | None:
    """The call whose rating has waited longest, a person's first, and that nobody is posting right now."""
    call_id: str | None = await db.fetchval(
        """
        select call_id from call_logs
        where owner_user_id = $1 and rating_pending and coalesce(rating_push_until < clock_timestamp(), true)
        order by score_by = 'auto', rating_touched_at limit 1
        """,
        owner,
    )
    return call_id


async def take_retry(db: Executor, owner: UUID, wait: timedelta, sent_for: datetime | None) -> datetime | None:
    """When the client's waiting ratings are to be tried again.

    None when that is settled: a time still to come is set, and it is not the one that the asker was *sent_for*.
    """
    due: datetime | None = await db.fetchval(
        """
        insert into lead_syncs as s (owner_user_id, rating_retry_at) values ($1, clock_timestamp() + $2::interval)
        on conflict (owner_user_id) do update set rating_retry_at = excluded.rating_retry_at
            where s.rating_retry_at is null or s.rating_retry_at < clock_timestamp() or s.rating_retry_at = $3
        returning rating_retry_at
        """,
        owner, wait, sent_for,
    )  # fmt: skip
    return due


async def take_waiting_ratings(db: Executor, owner: UUID, waited: timedelta) -> list[Record]:
    """Ratings that have been pending for longer than *waited* while nobody posts them; they count as touched now."""
    return await db.fetch(
        """
        update call_logs set rating_touched_at = clock_timestamp()
        where owner_user_id = $1 and rating_pending and rating_touched_at < clock_timestamp() - $2::interval
          and coalesce(rating_push_until < clock_timestamp(), true)
        returning call_id, score_by
        """,
        owner, waited,
    )  # fmt: skip


async def is_rating_pending(db: Executor, owner: UUID, call_id: str) -> bool:
    return bool(
        await db.fetchval(
            "select rating_pending from call_logs where owner_user_id = $1 and call_id = $2", owner, call_id
        )
    )


async def rating_posted(db: Executor, owner: UUID, call_id: str, rev: int, score: int) -> bool:
    """CTM has *score*, of revision *rev*. The lease ends; False when the rating changed meanwhile and still waits."""
    waits = await db.fetchval(
        """
        update call_logs set ctm_score = $4, rating_pending = rating_rev <> $3, rating_push_until = null,
            rating_touched_at = clock_timestamp()
        where owner_user_id = $1 and call_id = $2
        returning rating_pending
        """,
        owner, call_id, rev, score,
    )  # fmt: skip
    return not waits


async def rating_unwanted(db: Executor, owner: UUID, call_id: str, rev: int) -> bool:
    """CTM has no such call: the rating of revision *rev* stays here alone. False when it changed meanwhile."""
    waits = await db.fetchval(
        """
        update call_logs set rating_pending = rating_rev <> $3, rating_push_until = null
        where owner_user_id = $1 and call_id = $2
        returning rating_pending
        """,
        owner, call_id, rev,
    )  # fmt: skip
    return not waits


async def yield_rating(db: Executor, owner: UUID, call_id: str, rev: int, held: int) -> Record | None:
    """CTM's own stars replace our automatic ones. None when a person rated the call meanwhile: theirs still waits."""
    return await db.fetchrow(
        """
        update call_logs set score = $4, score_by = 'ctm', ctm_score = $4, rating_pending = false,
            rating_push_until = null, rating_touched_at = clock_timestamp()
        where owner_user_id = $1 and call_id = $2 and rating_rev = $3
        returning category
        """,
        owner, call_id, rev, held,
    )  # fmt: skip


async def end_posting(db: Executor, owner: UUID, call_id: str) -> None:
    await db.execute(
        "update call_logs set rating_push_until = null where owner_user_id = $1 and call_id = $2", owner, call_id
    )


# Links


async def link(db: Executor, owner: UUID, call_id: str, client_id: UUID) -> bool:
    return bool(
        await db.execute(
            """
            update call_logs set active_client_id = $3, caller_type = 'returning_customer', client_link = 'linked'
            where owner_user_id = $1 and call_id = $2
            """,
            owner, call_id, client_id,
        )
    )  # fmt: skip


async def unlink(db: Executor, owner: UUID, call_id: str) -> str | None:
    """Undo a link, also one found by number; return what the caller is without it, None for no such call."""
    caller_type: str | None = await db.fetchval(
        """
        update call_logs set active_client_id = null, client_link = 'unlinked',
            caller_type = case when call_sequence > 1 then 'repeat' else 'new' end
        where owner_user_id = $1 and call_id = $2
        returning caller_type
        """,
        owner, call_id,
    )  # fmt: skip
    return caller_type


async def lead(db: Executor, owner: UUID, call_id: str, row_id: UUID | None) -> Record | None:
    """A call by CTM's id, else by its row's, with who called."""
    return await db.fetchrow(
        """
        select id, call_id, nullif(meta ->> 'caller_name', 'Unknown') as client_name,
               nullif(from_number, '') as client_phone, nullif(meta ->> 'caller_email', '') as client_email,
               nullif(meta ->> 'source', '') as source,
               active_client_id, coalesce(client_link = 'linked', false) as linked_by_hand
        from call_logs where owner_user_id = $1 and (call_id = $2 or id = $3) order by call_id = $2 desc limit 1
        """,
        owner, call_id, row_id,
    )  # fmt: skip


async def sources(db: Executor, owner: UUID, number: str | None) -> list[str]:
    """Where the calls from a number came from, the earliest first."""
    rows = await db.fetch(
        """
        select meta ->> 'source' as source from call_logs
        where owner_user_id = $1 and caller_key = phone_key($2) and coalesce(meta ->> 'source', '') <> ''
        group by 1 order by min(started_at) nulls last limit 50
        """,
        owner, number,
    )  # fmt: skip
    return [row["source"] for row in rows]


async def link_agreed(db: Executor, owner: UUID, call_id: str, client_id: UUID, number: str | None) -> None:
    """The caller of this call became an active client with *number*.

    Where the call is from that number, the link is found by it, like that of the caller's other calls; else it is
    this call's own.
    """
    await db.execute(
        """
        update call_logs set active_client_id = $3, caller_type = 'active_client',
            client_link = case when coalesce(caller_key = phone_key($4), false) then null else 'linked' end
        where owner_user_id = $1 and call_id = $2
        """,
        owner, call_id, client_id, number,
    )  # fmt: skip


async def relabel_linked(db: Executor, owner: UUID, client_id: UUID, caller_type: str) -> None:
    """What the caller is on calls that a person linked to an active client: no number tells it."""
    await db.execute(
        """
        update call_logs set caller_type = $3
        where owner_user_id = $1 and active_client_id = $2 and client_link = 'linked' and caller_type <> $3
        """,
        owner, client_id, caller_type,
    )  # fmt: skip


async def active_client(db: Executor, owner: UUID, client_id: UUID) -> Record | None:
    return await db.fetchrow(
        "select id, client_name from active_clients where owner_user_id = $1 and id = $2", owner, client_id
    )


async def move(db: Executor, owner: UUID, call_id: str, stage_id: UUID | None) -> bool:
    return bool(
        await db.execute(
            "update call_logs set pipeline_stage_id = $3 where owner_user_id = $1 and call_id = $2",
            owner, call_id, stage_id,
        )
    )  # fmt: skip


async def exists(db: Executor, owner: UUID, call_id: str) -> bool:
    return bool(
        await db.fetchval("select true from call_logs where owner_user_id = $1 and call_id = $2", owner, call_id)
    )


async def is_client(db: Executor, owner: UUID) -> bool:
    return bool(await db.fetchval("select true from users where id = $1 and role = 'client'", owner))
