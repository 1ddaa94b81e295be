"""Our registrations at the vendors: the row that a superadmin keeps, else what the environment says."""

from __future__ import annotations

from shared.areas.connections import app_store
from shared.areas.connections.outside import App, OAuthVendor, Outside
from shared.errors import Rejected

APP_OF = {"instagram": "facebook"}  # one app at Meta serves both


async def configured(outside: Outside, provider: str) -> App | None:
    """The active app of the database, its secret opened; None when the environment's counts."""
    from shared.crypto import column_context

    row = await app_store.active(outside.db, APP_OF.get(provider, provider))
    if row is None:
        return None
    ring = await outside.key_ring()
    secret = ring.open_text(row["client_secret"], context=column_context("oauth_providers", "client_secret", row["id"]))
    return App(
        client_id=row["client_id"],
        client_secret=secret,
        auth_url=row["auth_url"] or "",
        token_url=row["token_url"] or "",
        scopes=tuple(scope for scope in row["scopes"] if isinstance(scope, str)),
    )


async def vendor(outside: Outside, provider: str) -> OAuthVendor:
    """The vendor's client. Raises Rejected when nobody has configured an app there."""
    found = await outside.vendor(APP_OF.get(provider, provider), await configured(outside, provider))
    if found is None:
        raise Rejected(provider, reason="No app is configured for this vendor.")
    return found
