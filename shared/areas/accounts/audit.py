"""The audit trail of sign-in: who did what from where, and whether it worked. Never a secret.

Events are written in the transaction of what they tell, or alone when nothing else changes.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from shared.areas.accounts.devices import Browser
from shared.areas.accounts.rules import without_secrets
from shared.db.database import Executor

Category = Literal["authentication", "session", "mfa", "account", "access", "oauth"]

_CATEGORIES: dict[str, Category] = {
    "login_success": "authentication",
    "login_failed": "authentication",
    "logout": "authentication",
    "session_created": "session",
    "session_ended": "session",
    "session_revoked": "session",
    "session_refresh_failed": "session",
    "all_sessions_ended": "session",
    "mfa_challenge_sent": "mfa",
    "mfa_challenge_success": "mfa",
    "mfa_challenge_failed": "mfa",
    "mfa_enabled": "mfa",
    "mfa_disabled": "mfa",
    "mfa_settings_changed": "mfa",
    "backup_codes_renewed": "mfa",
    "owner_not_proven": "mfa",
    "account_created": "account",
    "account_locked": "account",
    "email_verified": "account",
    "verification_requested": "account",
    "password_reset_requested": "account",
    "password_reset_completed": "account",
    "password_changed": "account",
    "device_trusted": "access",
    "device_revoked": "access",
    "impersonation_start": "access",
    "impersonation_end": "access",
    "oauth_login": "oauth",
    "oauth_linked": "oauth",
}


async def record(
    db: Executor,
    event: str,
    browser: Browser | None,
    *,
    user_id: UUID | None,
    session_id: UUID | None = None,
    failure: str | None = None,
    **details: object,
) -> None:
    """Keep one event; *failure* is why it did not work, in one word."""
    await db.execute(
        """
        insert into security_audit_log (user_id, session_id, event_type, event_category, ip_address, user_agent,
                                        device_id, details, success, failure_reason)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text is null, $9)
        """,
        user_id, session_id, event, _CATEGORIES[event], browser and browser.ip, browser and browser.user_agent,
        browser and browser.device_id, without_secrets(details), failure,
    )  # fmt: skip
