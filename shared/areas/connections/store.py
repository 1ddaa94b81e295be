"""SQL over connections and their resources. What is removed or revoked is never among the active ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from shared.db.database import Executor, Record

# --- for the areas that work with a client's accounts -----------------------------------------------------------------


async def active_connections(db: Executor, owner: UUID, provider: str) -> list[Record]:
    """The client's connections that work, changed last first: id, provider, provider_account_id and _name,
    token_type, external_metadata, scope_granted."""
    return await db.fetch(
        """
        select id, provider, provider_account_id, provider_account_name, token_type, external_metadata, scope_granted
        from oauth_connections
        where client_id = $1 and provider = $2 and is_connected and revoked_at is null and removed_at is null
        order by updated_at desc, id
        """,
        owner,
        provider,
    )


async def active_resources(db: Executor, owner: UUID, resource_type: str) -> list[Record]:
    """What the client has chosen and not switched off, of connections that work; primary first: id, connection_id,
    provider, resource_type, resource_id, resource_name, resource_username, resource_url, is_primary, and for a Google
    location account_id (None when it is not known: ``service.location_name`` finds it)."""
    return await db.fetch(
        """
        select r.id, c.id as connection_id, r.provider, r.resource_type, r.resource_id, r.resource_name,
               r.resource_username, r.resource_url, r.is_primary, l.account_id
        from oauth_resources r
        join oauth_connections c on c.id = r.oauth_connection_id
        left join oauth_locations l on l.oauth_connection_id = c.id and l.location_id = r.resource_id
        where r.client_id = $1 and r.resource_type = $2 and r.is_enabled and r.removed_at is null
          and c.is_connected and c.revoked_at is null and c.removed_at is null
        order by r.is_primary desc, r.created_at, r.id
        """,
        owner,
        resource_type,
    )


async def owners_of(db: Executor, resource_type: str, *, after: UUID | None, limit: int) -> list[UUID]:
    """Clients with an active resource of this type, by id from *after* on: for schedules that go through all."""
    rows = await db.fetch(
        """
        select distinct r.client_id from oauth_resources r join oauth_connections c on c.id = r.oauth_connection_id
        where r.resource_type = $1 and r.is_enabled and r.removed_at is null
          and c.is_connected and c.revoked_at is null and c.removed_at is null
          and ($2::uuid is null or r.client_id > $2)
        order by r.client_id limit $3
        """,
        resource_type,
        after,
        limit,
    )
    return [row["client_id"] for row in rows]


# --- tokens -----------------------------------------------------------------------------------------------------------


async def tokens_of(db: Executor, owner: UUID, connection_id: UUID) -> Record | None:
    """The sealed tokens of one connection, with what decides whether they may be used."""
    return await db.fetchrow(
        """
        select id, client_id, provider, provider_account_id, provider_account_name, external_metadata, token_type,
               coalesce(encrypted_access_token, '') as sealed_access,
               coalesce(encrypted_refresh_token, '') as sealed_refresh,
               expires_at, token_rev, last_error, is_connected and revoked_at is null as usable
        from oauth_connections where id = $2 and client_id = $1 and removed_at is null
        """,
        owner,
        connection_id,
    )


async def take_lease(db: Executor, connection_id: UUID, token_rev: int, length: timedelta) -> UUID | None:
    """The right to renew these tokens; None while another instance has it, or when they are not these any more."""
    lease = uuid4()
    touched = await db.execute(
        """
        update oauth_connections set lease_id = $3, lease_until = now() + $4
        where id = $1 and token_rev = $2 and is_connected and (lease_until is null or lease_until < now())
        """,
        connection_id, token_rev, lease, length,
    )  # fmt: skip
    return lease if touched else None


async def end_lease(db: Executor, connection_id: UUID, lease: UUID) -> None:
    await db.execute(
        "update oauth_connections set lease_id = null, lease_until = null where id = $1 and lease_id = $2",
        connection_id,
        lease,
    )


async def keep_renewed(
    db: Executor,
    connection_id: UUID,
    lease: UUID,
    *,
    access: str,
    refresh: str | None,
    key_id: str,
    expires_at: datetime | None,
    scopes: Sequence[str],
) -> bool:
    """Replace the tokens (sealed) and end the lease; False when it was not ours any more. A missing refresh token is
    taken from the connection for good: pass the old one."""
    return bool(
        await db.execute(
            """
            update oauth_connections
            set encrypted_access_token = $3, encrypted_refresh_token = $4, kms_key_id = $5, expires_at = $6,
                scope_granted = case when $7::jsonb = '[]' then scope_granted else $7 end,
                token_rev = token_rev + 1, lease_id = null, lease_until = null, access_token = null,
                refresh_token = null, last_error = null, last_refreshed_at = now(), last_rotated_at = now()
            where id = $1 and lease_id = $2
            """,
            connection_id, lease, access, refresh, key_id, expires_at, list(scopes),
        )
    )  # fmt: skip


async def mark_broken(db: Executor, connection_id: UUID, token_rev: int, reason: str) -> bool:
    """Whether the connection was good until now, with these tokens: it is broken from here on, for this reason."""
    return bool(
        await db.execute(
            """
            update oauth_connections
            set is_connected = false, last_error = $3, lease_id = null, lease_until = null, updated_at = now()
            where id = $1 and token_rev = $2 and is_connected
            """,
            connection_id, token_rev, reason,
        )
    )  # fmt: skip
