"""SQL over the outbox and inbox for people and for the clean-up; the runtime has its own for sending and claiming."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.db.database import Executor, Record


async def list_dead(db: Executor, *, limit: int, offset: int) -> str:
    """``{"work": [{id, kind, target, handler, reason, payload, created_at, dead_at}], "total"}`` as JSON text."""
    text: str = await db.fetchval(
        """
        select json_build_object(
            'total', (select count(*) from outbox where dead_at is not null),
            'work', coalesce(json_agg(json_build_object(
                'id', id, 'kind', kind, 'target', target, 'handler', dead_handler, 'reason', dead_reason,
                'payload', payload, 'created_at', iso(created_at), 'dead_at', iso(dead_at)
            ) order by dead_at desc, id), '[]'::json)
        )::text
        from (select * from outbox where dead_at is not null order by dead_at desc, id limit $1 offset $2) page
        """,
        limit,
        offset,
    )
    return text


async def revive(db: Executor, work_id: UUID) -> Record | None:
    """Make dead work sendable again and forget that its handler was done with it; the row, or None if none is dead."""
    return await db.fetchrow(
        """
        with row as (
            select id, dead_handler from outbox where id = $1 and dead_at is not null for update
        ), forgotten as (
            delete from inbox using row
            where inbox.handler = any(string_to_array(row.dead_handler, ',')) and inbox.message_key = row.id::text
        )
        update outbox set dead_at = null, dead_handler = null, dead_reason = null, dispatched_at = null, done_at = null
        from row where outbox.id = row.id
        returning outbox.id, kind, target, payload, sends, null::timestamptz as not_before
        """,
        work_id,
    )


async def bury(db: Executor, outbox_id: UUID, *, handler: str, reason: str) -> bool:
    """Mark an event dead on behalf of a listener whose deliveries ran out; several listeners may give up on one."""
    return bool(
        await db.execute(
            """
            update outbox set dead_at = now(), dead_reason = $3, dead_handler = concat_ws(',', dead_handler, $2::text)
            where id = $1
            """,
            outbox_id,
            handler,
            reason,
        )
    )


_PURGES = {
    # what is deleted → the statement; $1 is how long it is kept
    "outbox": """
        delete from outbox where dead_at is null and (
            done_at < now() - $1::interval or kind = 'event' and dispatched_at < now() - $1::interval)""",
    "inbox": "delete from inbox where done_at < now() - 2 * $1::interval",
    "request_counters": "delete from request_counters where window_start < now() - interval '1 day'",
    "webhook_tokens": "delete from webhook_tokens where seen_at < now() - interval '3 days'",
    "form_draft_sessions": "delete from form_draft_sessions where expires_at < now() - interval '1 day'",
    # a link is over thirty days after it could last be used: by then everybody was reminded of it
    "client_onboarding_tokens": "delete from client_onboarding_tokens where expires_at < now() - interval '30 days'",
    "job_runs": "delete from job_runs where started_at < now() - 4 * $1::interval",
}


async def purge(db: Executor, kept: timedelta) -> dict[str, int]:
    """Delete finished work older than *kept* (claims twice that, so that a late duplicate still finds its own)."""
    counts: dict[str, Any] = {}
    for table, statement in _PURGES.items():
        counts[table] = await (db.execute(statement, kept) if "$1" in statement else db.execute(statement))
    return counts
