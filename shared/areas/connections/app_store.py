"""SQL over the apps that superadmins configure."""

from __future__ import annotations

from shared.db.database import Executor, Record


async def active(db: Executor, provider: str) -> Record | None:
    """The app to use for a vendor: id, client_id, client_secret (sealed), redirect_uri, auth_url, token_url, scopes."""
    return await db.fetchrow(
        """
        select id, client_id, client_secret, redirect_uri, auth_url, token_url,
               case when jsonb_typeof(scopes) = 'array' then scopes else '[]' end as scopes
        from oauth_providers where provider = $1 and is_active
        """,
        provider,
    )
