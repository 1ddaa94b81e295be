"""Connecting an account: to the vendor's consent page, and back with a code.

What is under way (who, for which client, at which vendor, with which verifier) waits in Firestore for ten minutes and
is taken once. The browser that began holds its key in a cookie, and the admin who began must still be signed in as one:
nobody can attach an account of theirs to a client, nor finish what another browser began.
Source: seeds INTEGRATIONS §7, OAuth Flow; spec api-leads O11-O18.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode
from uuid import UUID

from shared.areas.accounts.rules import new_token, same, token_hash
from shared.areas.clients.audit import Actor
from shared.areas.connections import apps, rules, saving, service, store
from shared.areas.connections.outside import Outside, Surroundings
from shared.areas.connections.saving import Consent
from shared.errors import NotFound, Problem, Reconnect, Rejected, TryLater

COLLECTION = "oauth_states"  # sign-ins wait there too, under hashes that are none of ours
LIFETIME = timedelta(minutes=10)
COOKIE_PATH = "/api/hub/oauth"
_PAGE = "/client-hub"
_WORD = re.compile(r"[a-z_]{2,40}")


class States(Protocol):
    async def put(self, collection: str, key: str, fields: dict[str, Any], *, lifetime: timedelta) -> None: ...

    async def take(self, collection: str, key: str) -> dict[str, Any] | None: ...


class Jar(Protocol):
    def set(self, name: str, value: str, *, max_age_s: int, path: str = "/", lax: bool = False) -> None: ...

    def clear(self, name: str, *, path: str = "/", lax: bool = False) -> None: ...


class NotConfigured(Problem):
    """Nobody has registered an app at this vendor."""

    status, code = 503, "OAUTH_NOT_CONFIGURED"

    def __init__(self) -> None:
        super().__init__("This provider is not configured. Please add its app credentials first.")


class NotConnected(Exception):
    """Why a callback ended without a connection: the word for the dashboard's address."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a browser came back with. ``cookie``: the state that it began with."""

    provider: str
    code: str
    state: str
    error: str
    cookie: str | None


def flow(provider: str) -> str:
    """The vendor whose consent connects *provider*; NotFound for an unknown one."""
    found = rules.FLOW_OF.get(provider)
    if found is None:
        raise NotFound("This provider is not supported.", code="OAUTH_PROVIDER_NOT_SUPPORTED")
    return found


def cookie_name(provider: str) -> str:
    return f"oauth_int_state_{provider}"


async def start(
    outside: Outside, around: Surroundings, states: States, jar: Jar, provider: str, client_id: UUID, actor: Actor
) -> str:
    """The address of the vendor's consent page; the cookie binds what follows to this browser."""
    await service.require_client(outside.db, client_id)
    app = await apps.configured(outside, provider)
    try:
        vendor = await apps.vendor(outside, provider, app)
    except Rejected as error:
        raise NotConfigured from error
    state, verifier = new_token(), new_token()
    wanted = app.redirect_uri if app else ""
    redirect_uri = (
        wanted if rules.own_callback(provider, wanted, around.bases) else rules.callback_url(provider, around.bases[0])
    )
    kept = {
        "provider": provider,
        "client_id": str(client_id),
        "user_id": str(actor.id),
        "session_id": str(actor.session_id),
        "verifier": verifier,
        "redirect_uri": redirect_uri,
    }
    await states.put(COLLECTION, _key(state), kept, lifetime=LIFETIME)
    cookie_s = int(LIFETIME.total_seconds())
    jar.set(cookie_name(provider), state, max_age_s=cookie_s, path=COOKIE_PATH, lax=True)  # comes back from elsewhere
    return vendor.authorization_url(redirect_uri=redirect_uri, state=state, verifier=verifier)


async def finish(outside: Outside, states: States, returned: Returned, *, ip: str, user_agent: str) -> UUID:
    """Redeem the code and save the connection; the client whose it is. Raises NotConnected."""
    kept = await _taken(states, returned)
    try:
        if returned.error:
            raise NotConnected(returned.error if _WORD.fullmatch(returned.error) else "provider_refused")
        if not returned.code:
            raise NotConnected("missing_code")
        client_id, user_id, session_id = (UUID(kept[name]) for name in ("client_id", "user_id", "session_id"))
        admin = await store.admin_of_session(outside.db, session_id, user_id)
        if admin is None:
            raise NotConnected("session_expired")
        if not await store.is_client(outside.db, client_id):
            raise NotConnected("client_not_found")
        consent = await _redeem(outside, returned.provider, returned.code, kept)
        actor = Actor(id=user_id, role=admin["role"], ip=ip, user_agent=user_agent, session_id=session_id)
        ring = await outside.key_ring()
        async with outside.transaction() as tx:
            await saving.save(tx, client_id, consent, ring, actor)
        return client_id
    except TryLater as error:
        outside.warn("connect_failed", provider=returned.provider, reason=str(error))
        raise NotConnected("provider_unavailable") from error
    except (Reconnect, Rejected) as error:
        outside.warn("connect_failed", provider=returned.provider, reason=str(error))
        raise NotConnected("provider_refused") from error


async def _taken(states: States, returned: Returned) -> dict[str, Any]:
    """What was under way, for this browser only, and only once."""
    if not returned.state:
        raise NotConnected("missing_code")
    if not returned.cookie or not same(returned.cookie, returned.state):
        raise NotConnected("state_mismatch")
    try:
        kept = await states.take(COLLECTION, _key(returned.state))
    except TryLater as error:
        raise NotConnected("provider_unavailable") from error
    if kept is None:
        raise NotConnected("session_expired")
    if kept["provider"] != returned.provider:
        raise NotConnected("state_mismatch")
    return kept


async def _redeem(outside: Outside, provider: str, code: str, kept: dict[str, Any]) -> Consent:
    vendor = await apps.vendor(outside, provider)
    granted = await vendor.redeem(code, redirect_uri=kept["redirect_uri"], verifier=kept["verifier"])
    account = await vendor.account(granted)
    lifetime = granted.lifetime_s
    return Consent(
        provider=provider,
        account_id=account.id,
        account_name=account.name,
        access_token=granted.access_token,
        refresh_token=granted.refresh_token,
        token_type=granted.token_type,
        scopes=granted.scopes,
        expires_at=datetime.now(UTC) + timedelta(seconds=lifetime) if lifetime is not None else None,
        facts=account.facts,
    )


def done_page(around: Surroundings, provider: str, client_id: UUID) -> str:
    """The dashboard's page that tells of a new connection."""
    return _page(around, oauth="success", provider=provider, clientId=str(client_id))


def failed_page(around: Surroundings, provider: str, why: str) -> str:
    """The dashboard's page that tells, in one word, why there is none."""
    return _page(around, oauth="error", provider=provider, message=why)


def _page(around: Surroundings, **query: str) -> str:
    return f"{around.dashboard}{_PAGE}?{urlencode(query)}"


def _key(state: str) -> str:
    return token_hash(f"connect:{state}")
