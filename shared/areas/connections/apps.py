"""Our registrations at the vendors: the row that a superadmin keeps, else what the environment says.

Source: seeds INTEGRATIONS §7 (``oauth_providers``, admin-configured); spec api-leads O1-O5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from shared.areas.clients import audit
from shared.areas.clients.audit import Actor
from shared.areas.connections import app_store, rules
from shared.areas.connections.models import CreateProvider, UpdateProvider
from shared.areas.connections.outside import App, OAuthVendor, Outside, Surroundings
from shared.db.database import Executor, Transaction
from shared.errors import Invalid, NotFound, Rejected

if TYPE_CHECKING:
    from shared.crypto import KeyRing

NO_SUCH = "There is no such provider."


async def configured(outside: Outside, provider: str) -> App | None:
    """The active app of the database, its secret opened; None when the environment's counts."""
    row = await app_store.active(outside.db, rules.FLOW_OF[provider])
    if row is None:
        return None
    ring = await outside.key_ring()
    return App(
        client_id=row["client_id"],
        client_secret=ring.open_text(row["client_secret"], context=_context(row["id"])),
        redirect_uri=row["redirect_uri"] or "",
        auth_url=row["auth_url"] or "",
        token_url=row["token_url"] or "",
        scopes=tuple(scope for scope in row["scopes"] if isinstance(scope, str)),
    )


async def vendor(outside: Outside, provider: str, app: App | None = None) -> OAuthVendor:
    """The vendor's client, for *app* where the caller has read it. Raises Rejected when no app is configured there."""
    app = app or await configured(outside, provider)
    found = await outside.vendor(rules.FLOW_OF[provider], app)
    if found is None:
        raise Rejected(provider, reason="No app is configured for this vendor.")
    return found


async def list_all(db: Executor) -> str:
    """Every app, without its secret, as JSON text."""
    return await app_store.page(db)


async def show(db: Executor, app_id: UUID) -> str:
    """One app, without its secret, as JSON text."""
    found = await app_store.show(db, app_id)
    if found is None:
        raise NotFound(NO_SUCH)
    return found


async def create(tx: Transaction, given: CreateProvider, ring: KeyRing, around: Surroundings, actor: Actor) -> str:
    """Keep an app; Invalid when its vendor has one."""
    app_id = uuid4()
    _require_own_addresses(given.provider, given, around)
    values = {**given.model_dump(), **_sealed(ring, app_id, given.client_secret)}
    if not await app_store.insert(tx, app_id, values):
        raise Invalid(f"There is an app for {given.provider} already.", code="PROVIDER_EXISTS")
    await audit.record(tx, actor, "oauth_provider_created", actor.id, provider=given.provider)
    return await show(tx, app_id)


async def update(
    tx: Transaction, app_id: UUID, given: UpdateProvider, ring: KeyRing, around: Surroundings, actor: Actor
) -> str:
    """Change an app. Its vendor stays."""
    provider = await app_store.provider_of(tx, app_id)
    if provider is None:
        raise NotFound(NO_SUCH)
    if given.provider not in (None, provider):
        raise Invalid.field("provider", "cannot be changed")
    _require_own_addresses(provider, given, around)
    await app_store.update(tx, app_id, {**given.model_dump(), **_sealed(ring, app_id, given.client_secret)})
    secret_changed = given.client_secret is not None
    await audit.record(tx, actor, "oauth_provider_updated", actor.id, provider=provider, secret_changed=secret_changed)
    return await show(tx, app_id)


async def delete(tx: Transaction, app_id: UUID, actor: Actor) -> None:
    provider = await app_store.delete(tx, app_id)
    if provider is None:
        raise NotFound(NO_SUCH)
    await audit.record(tx, actor, "oauth_provider_deleted", actor.id, provider=provider)


def _require_own_addresses(provider: str, given: CreateProvider | UpdateProvider, around: Surroundings) -> None:
    """People and our secret are sent to these addresses: they must be the vendor's, and the way back must be ours."""
    vendors_own = around.origins_of(rules.FLOW_OF[provider])
    for name, address in (("auth_url", given.auth_url), ("token_url", given.token_url)):
        if address and not any(address.startswith(f"{origin}/") for origin in vendors_own):
            raise Invalid.field(name, "must be an address of this vendor")
    if given.redirect_uri and not rules.own_callback(rules.FLOW_OF[provider], given.redirect_uri, around.bases):
        raise Invalid.field("redirect_uri", f"must be {rules.callback_url(rules.FLOW_OF[provider], around.bases[0])}")


def _sealed(ring: KeyRing, app_id: UUID, secret: str | None) -> dict[str, str | None]:
    if secret is None:
        return {"client_secret": None, "secret_key_id": None}
    return {"client_secret": ring.seal_text(secret, context=_context(app_id)), "secret_key_id": ring.current}


def _context(app_id: UUID) -> str:
    from shared.crypto import column_context

    return column_context("oauth_providers", "client_secret", app_id)
