"""What is proven by a mailed link: an address (verification) and, for a forgotten password, that one owns it.

Asking for a link always does the same work, whether or not the address has an account: it enqueues
``accounts_mail_link``, and only that looks. A link works once, for an hour. Source: spec api-accounts AU4, AU9 to AU12.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from shared.areas.accounts import audit, limits, passwords, rules, sessions, store
from shared.areas.accounts.devices import Browser
from shared.areas.accounts.means import Means
from shared.areas.accounts.models import MailLink, Message, PasswordSet, Register, Registered, ResetPassword
from shared.areas.accounts.store import Account
from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.db.database import Database, Executor, Transaction
from shared.errors import Forbidden, Invalid

_ASKED = {
    "password_reset": Message(message="If this address has an account, a link to choose a new password is on its way."),
    "email_verification": Message(message="If this address is waiting to be confirmed, a new link is on its way."),
}


# --- asking for a link ------------------------------------------------------------------------------------------------


async def ask(tx: Transaction, work: MailLink, browser: Browser, means: Means) -> Message:
    """Have a link mailed, if the address has an account that needs one; the answer does not tell."""
    count = means.count
    await limits.admit(tx, means.now, count.ip(limits.LINK_IP, browser.ip), count.of(_per_email(work), work.email))
    await tx.enqueue("accounts_mail_link", work.model_dump())
    return _ASKED[work.kind]


def _per_email(work: MailLink) -> limits.Limit:
    limit = limits.LINK_EMAIL
    return limits.Limit(f"{work.kind}_email", limit.attempts, limit.window, limit.block)


async def mail_link(tx: Transaction, work: MailLink, means: Means) -> None:
    """Mail the link that was asked for, when there is somebody to mail it to."""
    account = await store.account_by_email(tx, work.email)
    if account is None:
        return
    if work.kind == "email_verification":
        if account.email_verified_at is None:
            await mail_verification(tx, account, means)
        return
    token = rules.new_link_token()
    minutes = means.settings.password_reset_ttl_minutes
    await store.add_reset_token(tx, account.id, rules.token_hash(token), means.now + timedelta(minutes=minutes))
    url = _url(means, "/pages/forgot-password", token)
    content = templates.password_reset(url=url, minutes=minutes, app_base_url=means.settings.app_base_url)
    await _mail(tx, "password_reset", account, content, means)
    await audit.record(tx, "password_reset_requested", None, user_id=account.id)


async def mail_verification(tx: Transaction, account: Account, means: Means) -> None:
    """Mail a link that proves the account's present address; older links stop working."""
    token = rules.new_link_token()
    minutes = means.settings.email_verification_ttl_minutes
    expires_at = means.now + timedelta(minutes=minutes)
    await store.add_verification_token(tx, account.id, account.email, rules.token_hash(token), expires_at)
    url = _url(means, "/api/auth/verify-email", token)
    content = templates.email_verification(url=url, minutes=minutes, app_base_url=means.settings.app_base_url)
    await _mail(tx, "email_verification", account, content, means)
    await audit.record(tx, "verification_requested", None, user_id=account.id)


def _url(means: Means, path: str, token: str) -> str:
    base = means.settings.app_base_url
    if path.startswith("/pages/"):
        base = means.settings.client_app_url or base
    return f"{base.rstrip('/')}{path}?{urlencode({'token': token})}"


async def _mail(tx: Transaction, type: str, account: Account, content: templates.Content, means: Means) -> None:
    mail = Mail(
        type=type,
        to=account.email,
        to_name=f"{account.first_name} {account.last_name}".strip(),
        subject=content.subject,
        text=content.text,
        html=content.html,
        triggered_by_id=account.id,
    )
    await emails.queue(tx, mail, means.key_ring)


# --- following a link -------------------------------------------------------------------------------------------------


async def verify_email(tx: Transaction, token: str, browser: Browser, means: Means) -> bool:
    """Mark the address of a link as its owner's; False when the link is unknown, used, expired or of an old address."""
    user_id = await store.spend_verification_token(tx, rules.token_hash(token), means.now)
    if user_id is None:
        return False
    await store.set_verified(tx, user_id, means.now)
    await audit.record(tx, "email_verified", browser, user_id=user_id)
    return True


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password that passed, and its hash; made before the transaction that stores it."""

    token_hash: str
    password_hash: str


def weak(errors: list[str]) -> Invalid:
    """400 ``WEAK_PASSWORD``: ``errors`` are sentences, as the dashboard shows them."""
    problem = Invalid(f"password: {' '.join(errors)}", code="WEAK_PASSWORD")
    problem.extra["errors"] = errors
    return problem


async def check_reset(db: Database, form: ResetPassword, browser: Browser, means: Means) -> NewPassword:
    """Whether a reset may go on. A password that is too weak leaves the link usable."""
    attempt = means.count.ip(limits.TOKEN_IP, browser.ip)
    await limits.admit(db, means.now, attempt)
    token_hash = rules.token_hash(form.token)
    owner = await store.owner_of_reset_token(db, token_hash, means.now)
    account = await store.account(db, owner) if owner else None
    if account is None:
        raise _invalid_link()
    await limits.give_back(db, attempt)
    errors = weaknesses(form.password, account, means)
    if errors:
        raise weak(errors)
    return NewPassword(token_hash, await passwords.make_hash(form.password))


def weaknesses(password: str, account: Account, means: Means) -> list[str]:
    """What is wrong with a password for this account, by the one policy."""
    return passwords.weaknesses(
        password,
        shortest=means.settings.password_min_length,
        email=account.email,
        names=(account.first_name, account.last_name),
    )


def _invalid_link() -> Invalid:
    return Invalid("This link is not valid any more; please ask for a new one.", code="INVALID_TOKEN")


async def reset_password(tx: Transaction, new: NewPassword, browser: Browser, means: Means) -> PasswordSet:
    """Set the password. Every session and trusted device ends; nobody is signed in.

    Whoever followed the link reads the account's mail, so its address is proven too.
    """
    user_id = await store.spend_reset_token(tx, new.token_hash, means.now)
    account = await store.lock_account(tx, user_id) if user_id else None
    if account is None:
        raise _invalid_link()
    await set_password(tx, account, new.password_hash, browser, means)
    await store.forget_devices(tx, account.id, means.now)
    await store.set_verified(tx, account.id, means.now)
    await audit.record(tx, "password_reset_completed", browser, user_id=account.id)
    return PasswordSet(message="Your password has been changed. Please sign in.", user=sessions.session_user(account))


async def set_password(
    tx: Transaction,
    account: Account,
    password_hash: str,
    browser: Browser | None,
    means: Means,
    *,
    keep: UUID | None = None,
) -> None:
    """Store a new password: links to reset the old one stop working, sessions but *keep* end, a lock is lifted."""
    await store.set_password(tx, account.id, password_hash, means.now)
    await store.void_reset_tokens(tx, account.id)
    count = means.count
    await limits.forget(
        tx, count.of(limits.LOGIN_EMAIL, account.email), count.of(limits.account_lock(means.settings), account.email)
    )
    await sessions.revoke_all(tx, account.id, "password_change", means, browser, but=keep)
    await audit.record(tx, "password_changed", browser, user_id=account.id)


# --- registering ------------------------------------------------------------------------------------------------------


async def check_registration(db: Executor, form: Register, browser: Browser, means: Means) -> str:
    """The hash for a new account, when registering is open and the password is good enough."""
    if not means.settings.registration_enabled:
        raise Forbidden("New accounts are made by our team. Please contact us.", code="REGISTRATION_DISABLED")
    errors = passwords.weaknesses(
        form.password,
        shortest=means.settings.password_min_length,
        email=form.email,
        names=(form.firstName, form.lastName),
    )
    if errors:
        raise weak(errors)
    count = means.count  # each registration mails its address, so a stranger's mailbox could be filled by it
    await limits.admit(
        db, means.now, count.ip(limits.REGISTER_IP, browser.ip), count.of(limits.REGISTER_EMAIL, form.email)
    )
    return await passwords.make_hash(form.password)


async def register(tx: Transaction, form: Register, password_hash: str, browser: Browser, means: Means) -> Registered:
    """Add a client whose address is yet to be proven. An address that has an account is told so by mail alone."""
    user_id = await store.add_account(
        tx,
        email=form.email,
        first_name=form.firstName,
        last_name=form.lastName,
        password_hash=password_hash,
        provider="local",
        verified_at=None,
    )
    account = await (store.account(tx, user_id) if user_id else store.account_by_email(tx, form.email))
    if account is not None and user_id is not None:
        await audit.record(tx, "account_created", browser, user_id=user_id, how="registration")
        await mail_verification(tx, account, means)
    elif account is not None:
        content = templates.account_exists(app_base_url=means.settings.client_app_url or means.settings.app_base_url)
        await _mail(tx, "account_exists", account, content, means)
    return Registered(message="Please check your mail to confirm your address.", email=form.email)
