"""Signing in with a password, and with a one-time code where the password is not enough.

Order: limits, account, lock, password, address confirmed, account activated, better hash, second factor, session. An
address without an account takes the same way and the same time as one with a wrong password. Source: seeds DATA_FLOWS
§2; spec api-accounts AU1 to AU3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from shared.areas.accounts import audit, limits, passwords, rules, sessions, store
from shared.areas.accounts.devices import Browser
from shared.areas.accounts.limits import AccountLocked
from shared.areas.accounts.means import Means
from shared.areas.accounts.models import MfaChallenge, Resent, SignIn, VerifyMfa
from shared.areas.accounts.sessions import SignedIn
from shared.areas.accounts.store import Account
from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.crypto import column_context
from shared.db.database import Database, Executor, Record, Transaction
from shared.errors import Forbidden, Invalid, Problem, Unauthorized

RESENDS = 3  # of one challenge, beyond the first mail


@dataclass(frozen=True, slots=True)
class Proven:
    """An account whose password was given; ``better_hash`` is to replace the stored one."""

    account: Account
    better_hash: str | None


# --- the password -----------------------------------------------------------------------------------------------------


async def check_password(db: Database, form: SignIn, browser: Browser, means: Means) -> Proven:
    """The account that the form names and proves.

    Raises TooManyRequests, AccountLocked, Unauthorized (no account, or a wrong password: nobody can tell) and, once the
    password is right, Forbidden for an account that may not sign in yet.
    """
    subjects = subjects_of(form.email, browser, means)
    counts = await limits.admit(db, means.now, *subjects)
    account = await store.account_by_email(db, form.email)
    locked = _locked(account, means) if account is not None else None
    if account is not None and locked is not None:
        await _refuse(db, account, browser, "account_locked")
        raise locked
    checked = await passwords.check(form.password, account.password_hash if account else None)
    if account is None or not checked.right:
        await _failed(db, account, browser, counts["login_account"], means)
    assert account is not None, "_failed raises"
    await limits.give_back(db, *subjects)
    await _require_usable(db, account, browser)
    better = await passwords.make_hash(form.password) if checked.outdated else None
    return Proven(account, better)


def subjects_of(email: str, browser: Browser, means: Means) -> tuple[limits.Subject, ...]:
    count = means.count
    return (
        count.ip(limits.LOGIN_IP, browser.ip),
        count.of(limits.LOGIN_EMAIL, email),
        count.of(limits.account_lock(means.settings), email),
    )


async def _failed(
    db: Database, account: Account | None, browser: Browser, failures: limits.Count, means: Means
) -> None:
    """A wrong password. The failure that locks says so, for addresses without an account as well."""
    if account is not None:
        await store.note_failure(db, account.id, failures.locked_until)
        await _refuse(db, account, browser, "invalid_password")
    else:
        await audit.record(db, "login_failed", browser, user_id=None, failure="user_not_found")
    if failures.locked_until is not None:
        if account is not None:
            await audit.record(db, "account_locked", browser, user_id=account.id)
        raise AccountLocked(round((failures.locked_until - means.now).total_seconds()))
    raise _wrong_password()


def _wrong_password() -> Unauthorized:
    return Unauthorized("The e-mail address or the password is wrong.", code="INVALID_CREDENTIALS")


async def _refuse(db: Executor, account: Account, browser: Browser, why: str) -> None:
    await audit.record(db, "login_failed", browser, user_id=account.id, failure=why)


def not_usable(account: Account) -> Problem | None:
    """Why an account may not sign in yet, whatever the way."""
    if account.is_local and account.email_verified_at is None:
        # the dashboard offers to send the link again when it reads "verify"
        return Forbidden("Please verify your e-mail address first.", code="EMAIL_NOT_VERIFIED")
    if account.role == "client" and account.onboarding_completed_at is not None and account.activated_at is None:
        return Forbidden("Your account is waiting to be activated by our team.", code="ACCOUNT_PENDING_ACTIVATION")
    return None


def _locked(account: Account, means: Means) -> AccountLocked | None:
    if account.locked_until is None or account.locked_until <= means.now:
        return None
    return AccountLocked(round((account.locked_until - means.now).total_seconds()))


def _may_not(account: Account, means: Means) -> Problem | None:
    """Why somebody who has proven to own an account may not sign in to it now."""
    return _locked(account, means) or not_usable(account)


async def _require_usable(db: Database, account: Account, browser: Browser) -> None:
    problem = not_usable(account)
    if problem is not None:
        await _refuse(db, account, browser, problem.code.lower())
        raise problem


# --- the second factor ------------------------------------------------------------------------------------------------


async def proceed(
    tx: Transaction, proven: Proven, form: SignIn, browser: Browser, means: Means
) -> SignedIn | MfaChallenge:
    """Sign in, or ask for a one-time code when the device is not trusted or something is suspicious.

    The password was looked at outside of this transaction: one that was replaced meanwhile signs nobody in.
    """
    account = await store.lock_account(tx, proven.account.id)
    if account is None or account.password_changed_at != proven.account.password_changed_at:
        raise _wrong_password()
    problem = _may_not(account, means)
    if problem is not None:
        raise problem
    if proven.better_hash and account.password_hash:
        await store.replace_hash(tx, account.id, account.password_hash, proven.better_hash)
    reason = await _reason_for_code(tx, account, browser, means)
    if reason is not None:
        return await challenge(tx, account, browser, reason, means)
    await limits.forget(tx, *subjects_of(account.email, browser, means)[1:])
    await store.use_device(tx, account.id, browser.device_id, means.now)
    signed_in = await sessions.open_session(tx, account, browser, means, how="password")
    await audit.record(tx, "login_success", browser, user_id=account.id, session_id=signed_in.session_id)
    return signed_in


async def _reason_for_code(db: Executor, account: Account, browser: Browser, means: Means) -> rules.Reason | None:
    known = await store.signs(
        db,
        account.id,
        device_id=browser.device_id,
        proof=browser.proof(account.id),
        fingerprint=browser.fingerprint,
        network=rules.network(browser.ip),
        now=means.now,
    )
    signs = rules.Signs(always=account.require_mfa_always, failures=account.failed_login_count, **dict(known))
    return rules.reason_for_code(signs, now=means.now, inactivity=timedelta(days=means.settings.mfa_inactivity_days))


async def challenge(
    tx: Transaction, account: Account, browser: Browser, reason: rules.Reason, means: Means
) -> MfaChallenge:
    """Ask for a code: mailed, or of the authenticator app where the account prefers it. Older challenges end."""
    uses_app = account.totp_enabled and account.preferred_method == "totp"
    method: rules.Method = "totp" if uses_app else "email_otp"
    challenge_id, code = uuid4(), rules.new_code()
    expires_at = means.now + timedelta(minutes=means.settings.mfa_otp_expiry_minutes)
    await store.add_challenge(
        tx,
        challenge_id=challenge_id,
        user_id=account.id,
        method=method,
        otp_hash=None if uses_app else _code_hash(means, challenge_id, code),
        now=means.now,
        expires_at=expires_at,
        max_attempts=means.settings.mfa_max_attempts,
        reason=reason,
        ip=browser.ip,
        user_agent=browser.user_agent,
    )
    if not uses_app:
        await _mail_code(tx, account, code, reason, means)
    await audit.record(tx, "mfa_challenge_sent", browser, user_id=account.id, reason=reason, method=method)
    return MfaChallenge(
        mfaType=method,
        challengeId=challenge_id,
        maskedEmail=rules.mask_email(account.email),
        expiresAt=expires_at,
        reason=reason,
    )


async def _mail_code(tx: Transaction, account: Account, code: str, reason: str, means: Means) -> None:
    await limits.admit(tx, means.now, means.count.of(limits.MFA_MAILS, account.id))
    content = templates.mfa_otp(
        digits=code,
        minutes=means.settings.mfa_otp_expiry_minutes,
        reason=reason,
        app_base_url=means.settings.app_base_url,
    )
    mail = Mail(
        type="mfa_otp",
        to=account.email,
        to_name=f"{account.first_name} {account.last_name}".strip(),
        subject=content.subject,
        text=content.text,
        html=content.html,
        triggered_by_id=account.id,
    )
    await emails.queue(tx, mail, means.key_ring)


def _code_hash(means: Means, challenge_id: UUID, code: str) -> str:
    return rules.code_hash(means.hash_key, f"mfa:{challenge_id}", code)


class MfaFailed(Invalid):
    """400 ``MFA_FAILED``; ``error`` says why, ``attemptsRemaining`` how often the code may still be tried."""

    def __init__(self, error: str, attempts_remaining: int | None = None) -> None:
        super().__init__(_MFA_ERRORS[error], code="MFA_FAILED")
        self.extra["error"] = error
        if attempts_remaining is not None:
            self.extra["attemptsRemaining"] = attempts_remaining


_MFA_ERRORS = {
    "challenge_not_found": "This sign-in is not known; please start again.",
    "already_verified": "This code was used before; please sign in again.",
    "expired": "This code has expired; please sign in again.",
    "max_attempts_exceeded": "Too many wrong codes; please sign in again.",
    "invalid_code": "This code is wrong.",
}


async def verify_code(tx: Transaction, form: VerifyMfa, browser: Browser, means: Means) -> SignedIn | Problem:
    """Sign in with a code. What is wrong is returned, not raised, so that the attempt counts."""
    account = await store.lock_challenged(tx, form.challengeId)
    row = await store.lock_challenge(tx, form.challengeId)
    error = _why_not(row, means)
    if account is None or row is None or error is not None:
        return MfaFailed(error or "challenge_not_found")
    user_limit = means.count.of(limits.MFA_USER, row["user_id"])
    try:
        await limits.admit(tx, means.now, user_limit)
    except Problem as refused:
        return refused
    await store.count_attempt(tx, row["id"])
    if not await _is_right(tx, row, account, form.code, means):
        await audit.record(tx, "mfa_challenge_failed", browser, user_id=account.id, failure="invalid_code")
        return MfaFailed("invalid_code", max(0, row["max_attempts"] - row["attempts"] - 1))
    problem = _may_not(account, means)
    if problem is not None:
        await audit.record(tx, "mfa_challenge_failed", browser, user_id=account.id, failure=problem.code.lower())
        return problem
    await store.end_challenge(tx, row["id"], means.now)
    await limits.forget(tx, user_limit, *subjects_of(account.email, browser, means)[1:])
    signed_in = await sessions.open_session(tx, account, browser, means, how="mfa", trusted=form.trustDevice)
    await audit.record(
        tx, "mfa_challenge_success", browser, user_id=account.id, session_id=signed_in.session_id,
        method=row["challenge_type"],
    )  # fmt: skip
    await audit.record(tx, "login_success", browser, user_id=account.id, session_id=signed_in.session_id)
    return signed_in


def _why_not(row: Record | None, means: Means) -> str | None:
    if row is None:
        return "challenge_not_found"
    if row["verified_at"] is not None:
        return "already_verified"
    if row["expires_at"] <= means.now:
        return "expired"
    return "max_attempts_exceeded" if row["attempts"] >= row["max_attempts"] else None


async def _is_right(tx: Transaction, row: Record, account: Account, code: str, means: Means) -> bool:
    if row["challenge_type"] == "email_otp":
        return rules.same(_code_hash(means, row["id"], code), row["otp_hash"])
    if len(code) > 6:
        return await store.spend_backup_code(tx, account.id, backup_hash(means, account.id, code))
    step = rules.matching_step(await totp_secret(account, means), code, means.now, account.totp_last_step)
    return step is not None and await store.spend_step(tx, account.id, step)


async def totp_secret(account: Account, means: Means) -> str:
    """The secret that the account shares with its authenticator app."""
    return (await means.key_ring()).open_text(account.totp_secret_encrypted or "", context=totp_context(account.id))


def totp_context(user_id: UUID) -> str:
    return column_context("user_mfa_settings", "totp_secret_encrypted", user_id)


def backup_hash(means: Means, user_id: UUID, code: str) -> str:
    return rules.code_hash(means.hash_key, f"backup:{user_id}", rules.clean_code(code))


async def resend_code(tx: Transaction, challenge_id: UUID, browser: Browser, means: Means) -> Resent:
    """Mail a new code for a challenge; its end and the attempts already made stay as they are."""
    account = await store.lock_challenged(tx, challenge_id)
    row = await store.lock_challenge(tx, challenge_id)
    if row is None or _why_not(row, means) in ("already_verified", "expired"):
        raise Invalid("This sign-in is not known or is over; please start again.", code="CHALLENGE_NOT_FOUND")
    exhausted = row["attempts"] >= row["max_attempts"] or row["mails_sent"] > RESENDS
    if account is None or row["challenge_type"] != "email_otp" or exhausted:
        raise Invalid("No further code can be sent; please sign in again.", code="RESEND_FAILED")
    code = rules.new_code()
    await store.renew_code(tx, row["id"], _code_hash(means, row["id"], code))
    await _mail_code(tx, account, code, row["trigger_reason"], means)
    await audit.record(
        tx, "mfa_challenge_sent", browser, user_id=account.id, reason=row["trigger_reason"], method="email_otp"
    )
    return Resent(message="A new code is on its way.", expiresAt=row["expires_at"])
