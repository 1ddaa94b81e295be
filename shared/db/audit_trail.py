"""The audit trail: one row of ``security_audit_log`` for each event. Never a secret.

An event is written in the transaction of what it tells, or alone when nothing else changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from shared.db.database import Executor

Category = Literal["authentication", "session", "mfa", "account", "access", "oauth", "tasks"]


async def keep(
    db: Executor,
    category: Category,
    event: str,
    details: Mapping[str, object],
    *,
    user_id: UUID | None,
    session_id: UUID | None = None,
    ip: str | None = None,
    user_agent: str | None = None,
    device_id: UUID | None = None,
    failure: str | None = None,
) -> None:
    """Keep one event of *user_id*; *failure* is why it did not work, in one word."""
    await db.execute(
        """
        insert into security_audit_log (user_id, session_id, event_category, event_type, ip_address, user_agent,
                                        device_id, details, success, failure_reason)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text is null, $9)
        """,
        user_id, session_id, category, event, ip, user_agent, device_id, details, failure,
    )  # fmt: skip
