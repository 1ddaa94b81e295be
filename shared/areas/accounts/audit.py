"""The audit trail of sign-in: who did what from where, and whether it worked."""

from __future__ import annotations

from uuid import UUID

from shared.areas.accounts.devices import Browser
from shared.areas.accounts.rules import without_secrets
from shared.db import audit_trail
from shared.db.audit_trail import Category
from shared.db.database import Executor

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
    await audit_trail.keep(
        db,
        _CATEGORIES[event],
        event,
        without_secrets(details),
        user_id=user_id,
        session_id=session_id,
        ip=browser.ip if browser else None,
        user_agent=browser.user_agent if browser else None,
        device_id=browser.device_id if browser else None,
        failure=failure,
    )
