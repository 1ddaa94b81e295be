"""Signing in with Google or Microsoft.

The state of a sign-in (PKCE verifier, nonce, where to go afterwards) waits in Firestore for ten minutes and is taken
once; the browser holds its key in a cookie, so that nobody can finish a sign-in that another browser began. Only an
address that the provider has proven counts. Switched off unless a setting turns it on.
Source: seeds INTEGRATIONS §7; spec api-accounts AU13, AU14.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from shared.areas.accounts import audit, rules, sessions, store
from shared.areas.accounts.devices import Browser
from shared.areas.accounts.means import Jar, Means
from shared.areas.accounts.sessions import SignedIn
from shared.areas.accounts.sign_in import not_usable
from shared.areas.accounts.store import Account
from shared.db.database import Transaction
from shared.errors import NotFound

PROVIDERS = ("google", "microsoft")
COLLECTION = "oauth_states"
LIFETIME = timedelta(minutes=10)
_COOKIE_PATH = "/api/auth/oauth"


class Person(Protocol):
    """Whoever signed in at the provider (``integrations.openid``)."""

    @property
    def subject(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def email_proven(self) -> bool: ...
    @property
    def first_name(self) -> str: ...
    @property
    def last_name(self) -> str: ...
    @property
    def picture(self) -> str | None: ...


class OpenId(Protocol):
    def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str: ...

    async def redeem(self, code: str, *, redirect_uri: str, verifier: str, nonce: str) -> Person: ...


class States(Protocol):
    async def put(self, collection: str, key: str, fields: dict[str, Any], *, lifetime: timedelta) -> None: ...

    async def take(self, collection: str, key: str) -> dict[str, Any] | None: ...


class NotSignedIn(Exception):
    """Why a provider sign-in ended without a session: the word for the login page's address."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def require_known(provider: str) -> str:
    if provider not in PROVIDERS:
        raise NotFound("This sign-in provider is not supported.", code="OAUTH_PROVIDER_NOT_SUPPORTED")
    return provider


async def start(states: States, openid: OpenId, provider: str, return_to: str | None, jar: Jar, means: Means) -> str:
    """Where to send the browser; its cookie binds the sign-in to it."""
    state, verifier, nonce = rules.new_token(), rules.new_token(), rules.new_token()
    await states.put(
        COLLECTION,
        rules.token_hash(state),
        {"provider": provider, "verifier": verifier, "nonce": nonce, "return_to": rules.return_path(return_to)},
        lifetime=LIFETIME,
    )
    cookie_s = int(LIFETIME.total_seconds())
    jar.set(_cookie(provider), state, max_age_s=cookie_s, path=_COOKIE_PATH, lax=True)  # comes back from another site
    return openid.authorization_url(
        redirect_uri=_redirect_uri(provider, means), state=state, nonce=nonce, verifier=verifier
    )


@dataclass(frozen=True, slots=True)
class Returned:
    """A browser that came back from the provider as somebody."""

    person: Person
    return_to: str


async def finish(
    states: States,
    openid: OpenId,
    provider: str,
    *,
    code: str,
    state: str,
    cookie: str | None,
    jar: Jar,
    means: Means,
) -> Returned:
    """Who came back. Raises NotSignedIn, and the provider's VendorErrors."""
    jar.clear(_cookie(provider), path=_COOKIE_PATH, lax=True)
    if not code or not state:
        raise NotSignedIn("missing_code")
    if not cookie or not rules.same(cookie, state):
        raise NotSignedIn("state_mismatch")
    kept = await states.take(COLLECTION, rules.token_hash(state))
    if kept is None or kept["provider"] != provider:
        raise NotSignedIn("state_mismatch")
    person = await openid.redeem(
        code, redirect_uri=_redirect_uri(provider, means), verifier=kept["verifier"], nonce=kept["nonce"]
    )
    if not person.email_proven or not person.email:
        raise NotSignedIn("email_unverified")
    return Returned(person, kept["return_to"])


def dashboard(means: Means) -> str:
    """The dashboard's own address, without a slash at its end."""
    return (means.settings.client_app_url or means.settings.app_base_url).rstrip("/")


def login_page(means: Means, why: str) -> str:
    """The dashboard's login page, told in one word why there is no session."""
    return f"{dashboard(means)}/pages/login?oauth={why}"


def cookie_name(provider: str) -> str:
    return _cookie(provider)


def _cookie(provider: str) -> str:
    return f"oauth_state_{provider}"


def _redirect_uri(provider: str, means: Means) -> str:
    return f"{means.settings.app_base_url.rstrip('/')}/api/auth/oauth/{provider}/callback"


async def sign_in(tx: Transaction, provider: str, person: Person, browser: Browser, means: Means) -> SignedIn | str:
    """A session for the person's account, or the word for why there is none."""
    account = await _account_of(tx, provider, person, browser, means)
    if account is None:
        return await _refuse(tx, None, browser, provider, "no_account")
    problem = not_usable(account)
    if problem is not None:
        return await _refuse(tx, account, browser, provider, problem.code.lower())
    if account.locked_until is not None and account.locked_until > means.now:
        return await _refuse(tx, account, browser, provider, "account_locked")
    if account.require_mfa_always:  # the login page asks for codes after a password only
        return await _refuse(tx, account, browser, provider, "mfa_required")
    await store.keep_identity(
        tx,
        account.id,
        provider=provider,
        subject=person.subject,
        email=person.email,
        name=f"{person.first_name} {person.last_name}".strip(),
        picture=person.picture,
        now=means.now,
    )
    signed_in = await sessions.open_session(tx, account, browser, means, how=provider)
    await audit.record(
        tx, "oauth_login", browser, user_id=account.id, session_id=signed_in.session_id, provider=provider
    )
    return signed_in


async def _refuse(tx: Transaction, account: Account | None, browser: Browser, provider: str, why: str) -> str:
    await audit.record(
        tx, "oauth_login", browser, user_id=account.id if account else None, failure=why, provider=provider
    )
    return why


async def _account_of(tx: Transaction, provider: str, person: Person, browser: Browser, means: Means) -> Account | None:
    """The account of an identity: the one it is linked to, that of its address, or a new client where that is open."""
    known = await store.user_of_identity(tx, provider, person.subject)
    if known is not None:
        return await store.lock_account(tx, known)
    account = await store.account_by_email(tx, person.email)
    if account is not None:
        return await _link(tx, account, provider, browser, means)
    if not means.settings.registration_enabled:
        return None
    user_id = await store.add_account(
        tx,
        email=person.email,
        first_name=person.first_name or person.email.partition("@")[0],
        last_name=person.last_name,
        password_hash=None,
        provider=provider,
        verified_at=means.now,
        avatar_url=person.picture,
    )
    if user_id is None:
        return None
    await audit.record(tx, "account_created", browser, user_id=user_id, how=provider)
    return await store.account(tx, user_id)


async def _link(tx: Transaction, account: Account, provider: str, browser: Browser, means: Means) -> Account | None:
    """Link by proven address. An account whose address was never proven may have been made by somebody else: the
    password that they set stops working, and what they opened ends."""
    if account.email_verified_at is None:
        await store.set_password(tx, account.id, None, means.now)
        await store.set_verified(tx, account.id, means.now)
        await sessions.revoke_all(tx, account.id, "password_change", means, browser)
    await audit.record(tx, "oauth_linked", browser, user_id=account.id, provider=provider)
    return await store.account(tx, account.id)
