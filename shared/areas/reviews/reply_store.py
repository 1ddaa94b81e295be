"""SQL over replies on their way to Google."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from shared.db.database import Executor, Record


async def want(
    db: Executor,
    owner: UUID,
    review_id: UUID,
    text: str,
    *,
    shown: str | None,
    draft_id: UUID | None,
    by: UUID | None,
    rule_id: UUID | None,
) -> bool:
    """Have the review answered with *text*, in the place of the reply that is *shown*, and of one that was on its way.

    False when just this is on its way already.
    """
    return bool(
        await db.execute(
            """
            insert into review_replies as p (
                review_id, client_id, reply_text, replaces, draft_id, requested_by, rule_id)
            values ($2, $1, $3, array_remove(array[$4::text], null), $5, $6, $7)
            on conflict (review_id) do update set
                rev = p.rev + 1, reply_text = excluded.reply_text, status = 'sending', draft_id = excluded.draft_id,
                requested_by = excluded.requested_by, rule_id = excluded.rule_id, error = null, requested_at = now(),
                sent_at = null,
                replaces = excluded.replaces || case when p.status = 'sending' then p.replaces || p.reply_text
                                                     else array[p.reply_text] end
            where p.status <> 'sending' or p.reply_text <> excluded.reply_text
            """,
            owner, review_id, text, shown, draft_id, by, rule_id,
        )
    )  # fmt: skip


async def take(db: Executor, owner: UUID, review_id: UUID, lasts: timedelta) -> Record | None:
    """The reply to send, for this run alone: lease, rev, reply_text, replaces, draft_id, rule_id, requested_by, and the
    review's name and location. None when there is nothing to send, or another run has it."""
    return await db.fetchrow(
        """
        update review_replies p set lease_id = $3, lease_until = now() + $4
        from reviews r
        where p.review_id = $2 and p.client_id = $1 and p.status = 'sending' and r.id = p.review_id
          and (p.lease_until is null or p.lease_until < now())
        returning p.lease_id, p.rev, p.reply_text, p.replaces, p.draft_id, p.rule_id, p.requested_by,
                  r.platform_review_id as name, r.oauth_resource_id as location_id, r.removed_at
        """,
        owner, review_id, uuid4(), lasts,
    )  # fmt: skip


async def state(db: Executor, owner: UUID, review_id: UUID) -> Record | None:
    """``status`` and ``error`` of a review's reply."""
    return await db.fetchrow(
        "select status, error from review_replies where review_id = $2 and client_id = $1", owner, review_id
    )


async def end_lease(db: Executor, review_id: UUID, lease: UUID) -> None:
    await db.execute(
        "update review_replies set lease_id = null, lease_until = null where review_id = $1 and lease_id = $2",
        review_id,
        lease,
    )


async def sent(db: Executor, owner: UUID, review_id: UUID, lease: UUID, rev: int, text: str) -> bool:
    """Google has this reply; False when another one is wanted meanwhile. The review's open drafts are done with."""
    if not await db.execute(
        """
        update review_replies set status = 'sent', sent_at = now(), error = null, lease_id = null, lease_until = null
        where review_id = $1 and lease_id = $2 and rev = $3 and status = 'sending'
        """,
        review_id, lease, rev,
    ):  # fmt: skip
        return False
    await db.execute(
        """
        update reviews
        set has_response = true, response_text = $3, replied_at = now(), updated_at = now(),
            response_created_at = coalesce(response_created_at, now()),
            response_updated_at = case when response_created_at is not null then now() end
        where id = $2 and client_id = $1
        """,
        owner, review_id, text,
    )  # fmt: skip
    await db.execute(
        """
        update review_response_drafts d
        set status = 'sent', sent_at = now(), send_error = null, updated_at = now(),
            platform_response_id = r.platform_review_id || '/reply'
        from reviews r
        where r.id = $2 and d.review_id = r.id and d.client_id = $1
          and (d.status in ('draft', 'approved')
               or d.id = (select draft_id from review_replies where review_id = $2) and d.status = 'failed')
        """,
        owner,
        review_id,
    )
    return True


async def failed(db: Executor, owner: UUID, review_id: UUID, rev: int, error: str) -> Record | None:
    """This reply will not be sent: its row, unless it was sent or replaced meanwhile. Its draft says why."""
    row = await db.fetchrow(
        """
        update review_replies set status = 'failed', error = $4, lease_id = null, lease_until = null
        where review_id = $2 and client_id = $1 and rev = $3 and status = 'sending'
        returning draft_id, rule_id, requested_by
        """,
        owner, review_id, rev, error,
    )  # fmt: skip
    if row is not None and row["draft_id"] is not None:
        await db.execute(
            """
            update review_response_drafts set status = 'failed', send_error = $2, updated_at = now()
            where id = $1 and status in ('draft', 'approved')
            """,
            row["draft_id"],
            error,
        )
    return row


async def waiting(db: Executor, owner: UUID, review_id: UUID) -> int | None:
    """The rev of a reply that is on its way still."""
    rev: int | None = await db.fetchval(
        "select rev from review_replies where review_id = $2 and client_id = $1 and status = 'sending'",
        owner,
        review_id,
    )
    return rev


async def lost(db: Executor, after: timedelta) -> list[Record]:
    """Replies that have been on their way for longer than their work is tried: client_id, review_id, rev."""
    return await db.fetch(
        """
        select client_id, review_id, rev from review_replies
        where status = 'sending' and requested_at < now() - $1::interval
        order by requested_at limit 100
        """,
        after,
    )


async def seen_elsewhere(db: Executor, owner: UUID, review_id: UUID, reply: str) -> None:
    """Somebody has answered at Google itself."""
    await db.execute(
        """
        update reviews set has_response = true, response_text = $3, updated_at = now(),
            response_created_at = coalesce(response_created_at, now())
        where id = $2 and client_id = $1
        """,
        owner, review_id, reply,
    )  # fmt: skip
