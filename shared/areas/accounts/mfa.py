"""The second factor as its owner sets it: authenticator app, backup codes, when to ask. A change ends all sessions.

Who changes it proves once more who they are: by their password or, where the account has none, by a session that is
minutes old. Source: seeds DATA_FLOWS §2; spec api-accounts AU21; RFC 6238.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol
from uuid import UUID

from shared.areas.accounts import audit, limits, passwords, rules, sessions, store
from shared.areas.accounts.devices import Browser
from shared.areas.accounts.means import Means
from shared.areas.accounts.models import ChangeMfa, MfaSettings, TotpOffer
from shared.areas.accounts.sessions import SignedIn
from shared.areas.accounts.sign_in import backup_hash, totp_context, totp_secret
from shared.areas.accounts.store import Account
from shared.db.database import Database, Executor, Transaction
from shared.errors import Conflict, Forbidden, Invalid, Problem, Unauthorized

FRESH = timedelta(minutes=10)  # how long after signing in a session counts as proof


def shown(account: Account) -> MfaSettings:
    return MfaSettings(
        userId=account.id,
        emailOtpEnabled=account.email_otp_enabled,
        totpEnabled=account.totp_enabled,
        webauthnEnabled=account.webauthn_enabled,
        preferredMethod=account.preferred_method,
        requireMfaAlways=account.require_mfa_always,
        hasAnyMfaEnabled=account.email_otp_enabled or account.totp_enabled or account.webauthn_enabled,
        backupCodesLeft=account.backup_codes_left,
    )


async def own_account(db: Executor, user_id: UUID) -> Account:
    account = await store.account(db, user_id)
    if account is None:
        raise Unauthorized("This account no longer exists.", code="USER_NOT_FOUND")
    return account


class Caller(Protocol):
    """Whoever is signed in (``runtime.identity``)."""

    @property
    def id(self) -> UUID: ...
    @property
    def session_id(self) -> UUID: ...
    @property
    def impersonator_id(self) -> UUID | None: ...


def refuse_impersonators(caller: Caller) -> None:
    """An admin who is somebody else is never the account's owner."""
    if caller.impersonator_id is not None:
        raise Forbidden("This can be changed by the account's owner only.")


async def require_owner(
    db: Database, caller: Caller, password: str, means: Means, browser: Browser | None = None
) -> Account:
    """The caller's account, once they have proven that it is theirs; a failure is in the audit trail.

    Raises Forbidden, Invalid for a wrong password, TooManyRequests after five of them.
    """
    refuse_impersonators(caller)
    account = await own_account(db, caller.id)
    if account.password_hash is None:
        session = await store.session(db, caller.session_id)
        if session is None or means.now - session["created_at"] > FRESH:
            raise Forbidden("Please sign in again before you change this.", code="REAUTHENTICATE")
        return account
    attempt = means.count.of(limits.PROOF_USER, caller.id)
    await limits.admit(db, means.now, attempt)
    if not (await passwords.check(password, account.password_hash)).right:
        await audit.record(
            db, "owner_not_proven", browser, user_id=caller.id, session_id=caller.session_id, failure="invalid_password"
        )
        raise Invalid.field("password", "is wrong")
    await limits.forget(db, attempt)
    return account


async def offer_totp(db: Executor, account: Account, means: Means) -> TotpOffer:
    """A new secret for an authenticator app; it counts once a code of it was given."""
    import pyotp

    if account.totp_enabled:
        raise Conflict("An authenticator app is set up already; remove it first.", code="TOTP_ENABLED")
    secret = pyotp.random_base32()
    sealed = (await means.key_ring()).seal_text(secret, context=totp_context(account.id))
    await store.offer_totp(db, account.id, sealed, means.now)
    url = pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name="Anchor")
    return TotpOffer(secret=secret, otpauthUrl=url)


async def confirm_totp(
    tx: Transaction, user_id: UUID, code: str, browser: Browser, means: Means
) -> tuple[SignedIn, list[str]] | Problem:
    """Turn the app on with a first code of it: a new session and the backup codes. A wrong code is returned, so that
    it counts."""
    account = await store.lock_account(tx, user_id)
    if account is None or account.totp_enabled or account.totp_secret_encrypted is None:
        return Conflict("Set up an authenticator app first.", code="TOTP_NOT_OFFERED")
    attempt = means.count.of(limits.MFA_USER, user_id)
    try:
        await limits.admit(tx, means.now, attempt)
    except Problem as refused:
        return refused
    step = rules.matching_step(await totp_secret(account, means), code, means.now, None)
    if step is None:
        await audit.record(tx, "mfa_challenge_failed", browser, user_id=user_id, failure="invalid_code", method="totp")
        return Invalid.field("code", "is wrong")
    await limits.forget(tx, attempt)
    codes = rules.new_backup_codes()
    await store.enable_totp(tx, user_id, step, [backup_hash(means, user_id, one) for one in codes], means.now)
    await audit.record(tx, "mfa_enabled", browser, user_id=user_id, method="totp")
    return await _start_anew(tx, user_id, browser, means), codes


async def disable_totp(tx: Transaction, account: Account, browser: Browser, means: Means) -> SignedIn:
    account = await _locked(tx, account)
    if not account.totp_enabled:
        raise Conflict("No authenticator app is set up.", code="TOTP_NOT_ENABLED")
    await store.disable_totp(tx, account.id, means.now)
    await audit.record(tx, "mfa_disabled", browser, user_id=account.id, method="totp")
    return await _start_anew(tx, account.id, browser, means)


async def renew_backup_codes(
    tx: Transaction, account: Account, browser: Browser, means: Means
) -> tuple[SignedIn, list[str]]:
    """New backup codes in place of the old ones."""
    account = await _locked(tx, account)
    if not account.totp_enabled:
        raise Conflict("No authenticator app is set up.", code="TOTP_NOT_ENABLED")
    codes = rules.new_backup_codes()
    await store.renew_backup_codes(tx, account.id, [backup_hash(means, account.id, one) for one in codes], means.now)
    await audit.record(tx, "backup_codes_renewed", browser, user_id=account.id)
    return await _start_anew(tx, account.id, browser, means), codes


async def change(tx: Transaction, account: Account, form: ChangeMfa, browser: Browser, means: Means) -> SignedIn:
    account = await _locked(tx, account)
    if form.preferredMethod == "totp" and not account.totp_enabled:
        raise Invalid.field("preferredMethod", "no authenticator app is set up")
    await store.change_mfa(
        tx,
        account.id,
        always=form.requireMfaAlways,
        email_otp=form.emailOtpEnabled,
        preferred=form.preferredMethod,
        now=means.now,
    )
    await audit.record(tx, "mfa_settings_changed", browser, user_id=account.id)
    return await _start_anew(tx, account.id, browser, means)


async def _locked(tx: Transaction, account: Account) -> Account:
    """The account as it is by now, which nobody else changes until the transaction ends."""
    found = await store.lock_account(tx, account.id)
    if found is None:
        raise Unauthorized("This account no longer exists.", code="USER_NOT_FOUND")
    return found


async def _start_anew(tx: Transaction, user_id: UUID, browser: Browser, means: Means) -> SignedIn:
    """End every session, as a change of MFA does, and open one for the owner, who has just proven to be here.

    Other devices were trusted for the factor as it was: they are asked once more.
    """
    await store.forget_devices(tx, user_id, means.now, but=browser.device_id)
    await sessions.revoke_all(tx, user_id, "mfa_change", means, browser)
    return await sessions.open_session(tx, await own_account(tx, user_id), browser, means, how="mfa_change")
