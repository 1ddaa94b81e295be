"""SQL over the apps that superadmins configure. Their secrets are read to be used, and never shown."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shared.db.database import Executor, Record

_SHOWN = """json_build_object(
    'id', id, 'provider', provider, 'client_id', client_id, 'has_secret', client_secret <> '',
    'redirect_uri', redirect_uri, 'auth_url', auth_url, 'token_url', token_url,
    'scopes', case when jsonb_typeof(scopes) = 'array' then scopes else '[]' end,
    'is_active', is_active, 'notes', notes, 'created_at', iso(created_at), 'updated_at', iso(updated_at)
)"""


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


async def page(db: Executor) -> str:
    """All of them as JSON text."""
    text: str = await db.fetchval(
        f"select coalesce(json_agg({_SHOWN} order by provider), '[]')::text from oauth_providers"  # noqa: S608  ours
    )
    return text


async def show(db: Executor, app_id: UUID) -> str | None:
    """One as JSON text."""
    text: str | None = await db.fetchval(
        f"select {_SHOWN}::text from oauth_providers where id = $1",  # noqa: S608  ours
        app_id,
    )
    return text


async def insert(db: Executor, app_id: UUID, values: dict[str, Any]) -> bool:
    """False when this vendor has an app already."""
    return bool(
        await db.execute(
            """
            insert into oauth_providers (id, provider, client_id, client_secret, secret_key_id, redirect_uri, auth_url,
                                         token_url, scopes, notes)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing
            """,
            app_id, values["provider"], values["client_id"], values["client_secret"], values["secret_key_id"],
            values["redirect_uri"], values["auth_url"], values["token_url"], values["scopes"], values["notes"],
        )
    )  # fmt: skip


async def provider_of(db: Executor, app_id: UUID) -> str | None:
    """The app's vendor; locks the row."""
    found: str | None = await db.fetchval("select provider from oauth_providers where id = $1 for update", app_id)
    return found


async def update(db: Executor, app_id: UUID, values: dict[str, Any]) -> None:
    """Addresses and notes as given; of the rest, what is not None."""
    await db.execute(
        """
        update oauth_providers
        set client_id = coalesce($2, client_id), client_secret = coalesce($3, client_secret),
            secret_key_id = coalesce($4, secret_key_id), redirect_uri = $5, auth_url = $6, token_url = $7,
            scopes = coalesce($8, scopes), is_active = coalesce($9, is_active), notes = $10, updated_at = now()
        where id = $1
        """,
        app_id, values["client_id"], values["client_secret"], values["secret_key_id"], values["redirect_uri"],
        values["auth_url"], values["token_url"], values["scopes"], values["is_active"], values["notes"],
    )  # fmt: skip


async def delete(db: Executor, app_id: UUID) -> str | None:
    """The vendor of the app that is gone; None when there was none."""
    found: str | None = await db.fetchval("delete from oauth_providers where id = $1 returning provider", app_id)
    return found
