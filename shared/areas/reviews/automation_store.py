"""SQL over what happens to reviews by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.db.database import Executor, Record


async def take(db: Executor, owner: UUID, review_id: UUID) -> Record | None:
    """A review that is news, for the one look that the rules take at it; None when they have looked."""
    return await db.fetchrow(
        """
        update reviews r set automated_at = now()
        where r.id = $2 and r.client_id = $1 and r.is_news and r.automated_at is null and r.removed_at is null
        returning r.*, (select resource_name from oauth_resources o where o.id = r.oauth_resource_id) as resource_name
        """,
        owner,
        review_id,
    )


async def pending(db: Executor, owner: UUID, log_id: UUID) -> Record | None:
    """The log row of work that is still to be done: rule_id, by_settings (no rule asked for it)."""
    return await db.fetchrow(
        """
        select rule_id, action_type = 'ai_draft_generated' as by_settings from review_automation_logs
        where id = $2 and client_id = $1 and action_status = 'pending'
        """,
        owner,
        log_id,
    )


async def settle(
    db: Executor,
    log_id: UUID,
    status: str,
    *,
    draft_id: UUID | None = None,
    model: str | None = None,
    asked: Mapping[str, Any] | None = None,
    answered: Mapping[str, Any] | None = None,
    latency_ms: int | None = None,
    error: str | None = None,
) -> None:
    await db.execute(
        """
        update review_automation_logs
        set action_status = $2, draft_id = $3, ai_model = $4, ai_input = $5, ai_output = $6, ai_latency_ms = $7,
            error_message = $8
        where id = $1 and action_status = 'pending'
        """,
        log_id, status, draft_id, model, dict(asked or {}), dict(answered or {}), latency_ms, error,
    )  # fmt: skip
