"""Sessions: opened by signing in, kept alive by rotating refresh tokens, ended by whatever the seeds say ends them.

A refresh token works once. For a short grace afterwards it answers with its successor, because two tabs of one browser
may present it at the same instant; later it is a copy in other hands, and the whole family of its session ends. The
successor is derived from the token with a secret key, so that nothing needs to be kept for the tab that comes second.
Source: seeds DATA_FLOWS §2; spec api-accounts §2 rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID, uuid4

from shared import tokens
from shared.areas.accounts import audit, devices, rules, store
from shared.areas.accounts.devices import Browser
from shared.areas.accounts.means import Jar, Means
from shared.areas.accounts.models import Refreshed, Session, SessionUser
from shared.areas.accounts.store import Account
from shared.db.database import Database, Executor, Record
from shared.errors import NotFound, Unauthorized

REFRESH_COOKIE = "refresh_token"
IMPERSONATOR_COOKIE = "impersonator"
SESSION_COOKIE = "session"
_FURTHEST_BEHIND = 20  # rotations within one grace

Reason = Literal[
    "logout",
    "logout_all",
    "user_logout_all",
    "user_revoke",
    "admin_revoke",
    "password_change",
    "mfa_change",
    "absolute_expiry",
    "reuse_detected",
    "impersonation_end",
    "email_change",
    "role_change",
]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was just opened or renewed, with the only copy of its refresh token."""

    user: SessionUser
    session_id: UUID
    refresh_token: str
    impersonator_id: UUID | None = None

    def access_token(self, means: Means, lifetime_s: int | None = None) -> str:
        return tokens.sign(
            means.jwt_key,
            user_id=self.user.id,
            session_id=self.session_id,
            role=self.user.role,
            effective_role=self.user.effective_role,
            lifetime=timedelta(seconds=lifetime_s or means.settings.access_token_lifetime_s),
            now=means.now,
        )

    def answer(self, means: Means) -> Session:
        return Session(
            user=self.user,
            accessToken=self.access_token(means),
            expiresIn=means.settings.access_token_lifetime_s,
            impersonator=self.impersonator_id,
        )

    def refreshed(self, means: Means) -> Refreshed:
        return Refreshed(
            user=self.user, accessToken=self.access_token(means), expiresIn=means.settings.access_token_lifetime_s
        )

    def keep(self, jar: Jar, means: Means, browser: Browser | None = None) -> None:
        """Have the browser keep what it needs to stay signed in."""
        lifetime_s = int(means.refresh_lifetime.total_seconds())
        cookie_s = means.settings.session_cookie_lifetime_s
        jar.set(REFRESH_COOKIE, self.refresh_token, max_age_s=lifetime_s)
        jar.set(IMPERSONATOR_COOKIE, str(self.impersonator_id or ""), max_age_s=lifetime_s)
        jar.set(SESSION_COOKIE, self.access_token(means, cookie_s), max_age_s=cookie_s, lax=True)
        if browser is not None:
            keep_device(jar, browser)


def keep_device(jar: Jar, browser: Browser) -> None:
    jar.set(devices.COOKIE, browser.cookie, max_age_s=devices.COOKIE_LIFETIME_S)


def forget(jar: Jar) -> None:
    """Have the browser forget the session; the device stays known."""
    jar.clear(REFRESH_COOKIE)
    jar.clear(IMPERSONATOR_COOKIE)
    jar.clear(SESSION_COOKIE, lax=True)


class Known(Protocol):
    """Somebody's row, as an ``Account`` or as the signed-in user of ``runtime.identity``."""

    @property
    def id(self) -> UUID: ...
    @property
    def email(self) -> str: ...
    @property
    def first_name(self) -> str: ...
    @property
    def last_name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def effective_role(self) -> str: ...
    @property
    def avatar_url(self) -> str | None: ...
    @property
    def onboarding_completed_at(self) -> datetime | None: ...
    @property
    def activated_at(self) -> datetime | None: ...
    @property
    def created_at(self) -> datetime: ...


def session_user(account: Known) -> SessionUser:
    return SessionUser(
        id=account.id,
        email=account.email,
        first_name=account.first_name,
        last_name=account.last_name,
        role=account.role,
        effectiveRole=account.effective_role,
        effective_role=account.effective_role,
        avatar_url=account.avatar_url,
        onboarding_completed_at=account.onboarding_completed_at,
        activated_at=account.activated_at,
        created_at=account.created_at,
    )


# --- opening ----------------------------------------------------------------------------------------------------------


async def open_session(
    db: Executor, account: Account, browser: Browser, means: Means, *, how: str, trusted: bool = False
) -> SignedIn:
    """Open a session for somebody who has proven who they are; *how* goes into the audit trail.

    *trusted* makes the browser a trusted device, which spares it one-time codes for a month.
    """
    trusted_until = means.now + timedelta(days=means.settings.device_trust_days)
    signed_in = await _insert(db, account, browser, means, trusted_until=trusted_until if trusted else None)
    if trusted:
        await store.trust(
            db,
            account.id,
            device_id=browser.device_id,
            proof=browser.proof(account.id),
            fingerprint=browser.fingerprint,
            name=browser.name,
            now=means.now,
            until=trusted_until,
        )
        await audit.record(db, "device_trusted", browser, user_id=account.id, session_id=signed_in.session_id)
    await store.note_sign_in(db, account.id, means.now)
    await audit.record(db, "session_created", browser, user_id=account.id, session_id=signed_in.session_id, how=how)
    return signed_in


async def open_impersonation(
    db: Executor, account: Account, browser: Browser, means: Means, *, admin_id: UUID, origin: Record
) -> SignedIn:
    """Open a session in which an admin is *account*; it ends, with the session it came from, within a working day."""
    ends_at = min(means.now + timedelta(hours=8), origin["absolute_expiry_at"])
    return await _insert(
        db, account, browser, means, ends_at=ends_at, impersonator_id=admin_id, origin_session_id=origin["id"]
    )


async def _insert(
    db: Executor,
    account: Account,
    browser: Browser,
    means: Means,
    *,
    trusted_until: object = None,
    ends_at: object = None,
    impersonator_id: UUID | None = None,
    origin_session_id: UUID | None = None,
) -> SignedIn:
    session_id, refresh_token = uuid4(), rules.new_token()
    await store.add_session(
        db,
        {
            "id": session_id,
            "user_id": account.id,
            "refresh_token_hash": rules.token_hash(refresh_token),
            "refresh_token_family": uuid4(),
            "device_id": browser.device_id,
            "device_fingerprint": browser.fingerprint,
            "device_name": "Anchor support" if impersonator_id else browser.name,
            "is_trusted": trusted_until is not None,
            "trusted_until": trusted_until,
            "ip_address": browser.ip,
            "user_agent": browser.user_agent,
            "created_at": means.now,
            "last_activity_at": means.now,
            "absolute_expiry_at": ends_at or means.now + timedelta(days=means.settings.absolute_session_lifetime_days),
            "refresh_expiry_at": ends_at or means.now + means.refresh_lifetime,
            "impersonator_id": impersonator_id,
            "impersonator_session_id": origin_session_id,
        },
    )
    return SignedIn(session_user(account), session_id, refresh_token, impersonator_id)


# --- refreshing -------------------------------------------------------------------------------------------------------


class RefreshFailed(Unauthorized):
    """401 ``REFRESH_FAILED``; ``error``: invalid_token, session_revoked, refresh_expired or session_expired."""

    code = "REFRESH_FAILED"

    def __init__(self, error: str) -> None:
        super().__init__("Your session has ended. Please sign in again.", error=error)


async def refresh(db: Database, token: str, browser: Browser, means: Means) -> SignedIn:
    """Exchange a refresh token for its successor and an access token.

    Of callers with the same token one rotates it and the others, within the grace, get the same successor. Raises
    RefreshFailed; a token presented after the grace also ends its family.
    """
    old_hash, successor = rules.token_hash(token), rules.successor(means.hash_key, token)
    row = await store.rotate(
        db,
        old_hash=old_hash,
        new_hash=rules.token_hash(successor),
        now=means.now,
        lifetime=means.refresh_lifetime,
        ip=browser.ip,
        user_agent=browser.user_agent,
    )
    if row is not None:
        return SignedIn(_refreshed_user(row), row["session_id"], successor, row["impersonator_id"])
    return await _refresh_again(db, token, browser, means)


async def _refresh_again(db: Database, token: str, browser: Browser, means: Means) -> SignedIn:
    """What a refresh token that cannot be rotated means: another tab was quicker, or it is over."""
    row = await store.session_of_token(db, rules.token_hash(token))
    error = _why_not(row, means)
    if error is None and row is not None:
        account, current = await store.account(db, row["user_id"]), _current(token, row, means)
        if account is not None and current is not None:
            return SignedIn(session_user(account), row["id"], current, row["impersonator_id"])
        error = "invalid_token"
    if row is not None and error == "reused":
        await _end_family(db, row, browser, means)
        error = "session_revoked"
    await audit.record(
        db,
        "session_refresh_failed",
        browser,
        user_id=row and row["user_id"],
        session_id=row and row["id"],
        failure=error,
    )
    raise RefreshFailed(error or "invalid_token")


def _why_not(row: Record | None, means: Means) -> str | None:
    if row is None:
        return "invalid_token"
    if row["revoked_at"] is not None:
        return "session_revoked"
    if row["absolute_expiry_at"] <= means.now:
        return "session_expired"
    if row["refresh_expiry_at"] <= means.now:
        return "refresh_expired"
    if row["retired_at"] is None:  # current, yet it could not be rotated: its session changed under us
        return "invalid_token"
    grace = timedelta(seconds=means.settings.refresh_grace_s)
    return None if means.now - row["retired_at"] <= grace else "reused"


def _current(token: str, row: Record, means: Means) -> str | None:
    """The session's current refresh token, for a tab that is some rotations behind."""
    for _ in range(_FURTHEST_BEHIND):
        token = rules.successor(means.hash_key, token)
        if rules.token_hash(token) == row["refresh_token_hash"]:
            return token
    return None


async def _end_family(db: Database, row: Record, browser: Browser, means: Means) -> None:
    async with db.transaction() as tx:
        await store.revoke_family(tx, row["refresh_token_family"], means.now, "reuse_detected")
        await store.revoke_session(tx, row["id"], means.now, "reuse_detected")  # and impersonations from it
        await audit.record(
            tx, "session_revoked", browser, user_id=row["user_id"], session_id=row["id"], reason="reuse_detected"
        )


def _refreshed_user(row: Record) -> SessionUser:
    role = rules.effective(row["role"])
    return SessionUser(
        id=row["id"],
        email=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        role=row["role"],
        effectiveRole=role,
        effective_role=role,
        avatar_url=row["avatar_url"],
        onboarding_completed_at=row["onboarding_completed_at"],
        activated_at=row["activated_at"],
        created_at=row["created_at"],
    )


# --- ending -----------------------------------------------------------------------------------------------------------


async def sign_out(
    db: Executor, means: Means, browser: Browser, *, bearer: str | None, refresh_token: str | None
) -> None:
    """End the session that the caller's access token or refresh cookie names, and the one it impersonates from."""
    claims = tokens.read(bearer, means.jwt_key, now=means.now) if bearer else None
    named = [
        await store.session(db, claims.session_id) if claims else None,
        await store.session_of_token(db, rules.token_hash(refresh_token)) if refresh_token else None,
    ]
    alive = {row["id"]: row for row in named if row is not None and row["revoked_at"] is None}
    for row in alive.values():
        for session_id in (row["id"], row["impersonator_session_id"]):
            if session_id is not None:
                await store.revoke_session(db, session_id, means.now, "logout")
        await audit.record(db, "session_ended", browser, user_id=row["user_id"], session_id=row["id"], reason="logout")


async def revoke_all(
    db: Executor,
    user_id: UUID,
    reason: Reason,
    means: Means,
    browser: Browser | None,
    *,
    but: UUID | None = None,
) -> None:
    """End every session of a user, and every impersonation by them: for a changed password, MFA, role or address.

    What is under way to a new session ends too: codes already asked for and, for a changed address, links mailed to the
    old one that would set a password.
    """
    await store.end_challenges(db, user_id, means.now)
    if reason == "email_change":
        await store.void_reset_tokens(db, user_id)
    ended = await store.revoke_sessions(db, user_id, means.now, reason, but=but)
    await audit.record(db, "all_sessions_ended", browser, user_id=user_id, reason=reason, sessions=ended)


async def revoke_own(db: Executor, user_id: UUID, session_id: UUID, means: Means, browser: Browser) -> None:
    """End one of the user's own sessions; NotFound for any other."""
    if not await store.own_session(db, user_id, session_id):
        raise NotFound("There is no such session.", code="SESSION_NOT_FOUND")
    await store.revoke_session(db, session_id, means.now, "user_revoke")
    await audit.record(db, "session_revoked", browser, user_id=user_id, session_id=session_id, reason="user_revoke")


async def forget_device(db: Executor, user_id: UUID, device_id: UUID, means: Means, browser: Browser) -> None:
    """Trust a device no longer; NotFound when it is none of the user's."""
    if not await store.forget_device(db, user_id, device_id, means.now):
        raise NotFound("There is no such device.")
    await audit.record(db, "device_revoked", browser, user_id=user_id, forgotten_device=str(device_id))
