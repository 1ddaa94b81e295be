"""SQL over connections and their resources. What is removed or revoked is never among the active ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
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


# --- as admins keep them ----------------------------------------------------------------------------------------------

_CONNECTION = """jsonb_build_object(
    'id', c.id, 'client_id', c.client_id, 'provider', c.provider, 'provider_account_id', c.provider_account_id,
    'provider_account_name', c.provider_account_name, 'token_type', c.token_type,
    'scope_granted', case when jsonb_typeof(c.scope_granted) = 'array' then c.scope_granted else '[]' end,
    'expires_at', iso(c.expires_at), 'is_connected', c.is_connected, 'revoked_at', iso(c.revoked_at),
    'last_refreshed_at', iso(c.last_refreshed_at), 'last_error', c.last_error,
    'external_metadata', c.external_metadata, 'token_hash', c.token_hash, 'kms_key_id', c.kms_key_id,
    'last_rotated_at', iso(c.last_rotated_at), 'created_at', iso(c.created_at), 'updated_at', iso(c.updated_at)
)"""

_RESOURCE = """jsonb_build_object(
    'id', r.id, 'client_id', r.client_id, 'oauth_connection_id', r.oauth_connection_id, 'provider', r.provider,
    'resource_type', r.resource_type, 'resource_id', r.resource_id, 'resource_name', r.resource_name,
    'resource_username', r.resource_username, 'resource_url', r.resource_url, 'is_primary', r.is_primary,
    'is_enabled', r.is_enabled, 'created_at', iso(r.created_at), 'updated_at', iso(r.updated_at)
)"""


async def is_client(db: Executor, client_id: UUID) -> bool:
    found: bool = await db.fetchval("select exists (select from users where id = $1 and role = 'client')", client_id)
    return found


async def page(db: Executor, client_id: UUID) -> str:
    """The client's connections as JSON text, never with a token."""
    text: str = await db.fetchval(
        f"""
        select coalesce(json_agg({_CONNECTION} || jsonb_build_object(
            'resource_count', (select count(*)::text from oauth_resources r
                               where r.oauth_connection_id = c.id and r.removed_at is null),
            'has_tokens', c.encrypted_access_token is not null or c.encrypted_refresh_token is not null
        ) order by c.provider, c.created_at, c.id), '[]')::text
        from oauth_connections c where c.client_id = $1 and c.removed_at is null
        """,  # noqa: S608  the column list is ours
        client_id,
    )
    return text


async def show(db: Executor, connection_id: UUID) -> str | None:
    """One connection as JSON text."""
    text: str | None = await db.fetchval(
        f"select {_CONNECTION}::text from oauth_connections c where c.id = $1 and c.removed_at is null",  # noqa: S608
        connection_id,
    )
    return text


_FACTS = """id, client_id, provider, provider_account_id, provider_account_name, token_type, external_metadata,
    encrypted_access_token, encrypted_refresh_token, expires_at, is_connected, revoked_at"""


async def facts(db: Executor, connection_id: UUID, *, lock: bool = False) -> Record | None:
    """What an admin's request needs to know of a connection: client_id, provider, account, token_type, metadata."""
    return await db.fetchrow(
        f"""
        select {_FACTS} from oauth_connections
        where id = $1 and removed_at is null {"for update" if lock else ""}
        """,  # noqa: S608  nothing of a caller's
        connection_id,
    )


async def facts_of_client(db: Executor, owner: UUID) -> list[Record]:
    """The same of all that a client has, locked."""
    return await db.fetch(
        f"select {_FACTS} from oauth_connections where client_id = $1 and removed_at is null order by id for update",  # noqa: S608
        owner,
    )


async def admin_of_session(db: Executor, session_id: UUID, user_id: UUID) -> Record | None:
    """The admin whose session is still open (id, role); None when it has ended, or they are no admin any more."""
    return await db.fetchrow(
        """
        select u.id, case u.role when 'editor' then 'admin' else u.role end as role
        from user_sessions s join users u on u.id = s.user_id
        where s.id = $1 and u.id = $2 and u.role in ('superadmin', 'admin', 'editor') and s.revoked_at is null
          and s.refresh_expiry_at > now() and s.absolute_expiry_at > now()
        """,
        session_id,
        user_id,
    )


async def ensure(db: Executor, client_id: UUID, provider: str, account_id: str) -> Record:
    """The client's connection to this account, made when there is none; locked: id, encrypted_refresh_token, is_new."""
    row = await db.fetchrow(
        """
        insert into oauth_connections (client_id, provider, provider_account_id, is_connected)
        values ($1, $2, $3, false)
        on conflict on constraint oauth_connections_account_key do update set updated_at = now()
        returning id, encrypted_refresh_token, token_rev = 0 and created_at = now() as is_new
        """,
        client_id, provider, account_id,
    )  # fmt: skip
    assert row is not None  # it is inserted or found
    return row


async def connect(db: Executor, connection_id: UUID, values: dict[str, Any]) -> None:
    """Give a connection new tokens (sealed): it works again, whatever it was before."""
    await db.execute(
        """
        update oauth_connections
        set provider_account_name = coalesce($2, provider_account_name), encrypted_access_token = $3,
            encrypted_refresh_token = $4, kms_key_id = $5, token_type = $6, scope_granted = $7, expires_at = $8,
            external_metadata = $9, is_connected = true, revoked_at = null, removed_at = null, last_error = null,
            token_rev = token_rev + 1, lease_id = null, lease_until = null, last_rotated_at = now(),
            access_token = null, refresh_token = null, updated_at = now()
        where id = $1
        """,
        connection_id, values["name"], values["access"], values["refresh"], values["key_id"], values["token_type"],
        values["scopes"], values["expires_at"], values["facts"],
    )  # fmt: skip


async def update(db: Executor, connection_id: UUID, values: dict[str, Any]) -> None:
    """What an admin has edited; ``renewed``: there are new tokens (sealed), and the connection works again.

    Without new ones a renewal that is under way goes on: what it brings may be all that works afterwards.
    """
    await db.execute(
        """
        update oauth_connections
        set provider_account_name = coalesce($2, provider_account_name), token_type = coalesce($3, token_type),
            scope_granted = coalesce($4, scope_granted), expires_at = $5,
            external_metadata = coalesce($6, external_metadata), last_error = $7, updated_at = now(),
            encrypted_access_token = coalesce($8, encrypted_access_token),
            encrypted_refresh_token = coalesce($9, encrypted_refresh_token),
            kms_key_id = coalesce($10, kms_key_id), is_connected = is_connected or $11,
            revoked_at = case when $11 then null else revoked_at end,
            last_rotated_at = case when $11 then now() else last_rotated_at end,
            token_rev = token_rev + $11::int, lease_id = case when not $11 then lease_id end,
            lease_until = case when not $11 then lease_until end
        where id = $1
        """,
        connection_id, values["name"], values["token_type"], values["scopes"], values["expires_at"], values["facts"],
        values["last_error"], values["access"], values["refresh"], values["key_id"], values["renewed"],
    )  # fmt: skip


async def disconnect(db: Executor, connection_id: UUID, *, remove: bool) -> None:
    """Let go of a connection's tokens; with *remove*, it and its resources are deleted for the dashboard."""
    await db.execute(
        """
        update oauth_connections
        set is_connected = false, revoked_at = coalesce(revoked_at, now()),
            removed_at = case when $2 then now() else removed_at end,
            encrypted_access_token = null, encrypted_refresh_token = null, kms_key_id = null, access_token = null,
            refresh_token = null, expires_at = null, last_error = null, token_rev = token_rev + 1,
            lease_id = null, lease_until = null, updated_at = now()
        where id = $1
        """,
        connection_id,
        remove,
    )
    if remove:
        await db.execute(
            """
            update oauth_resources set removed_at = now(), is_primary = false, is_enabled = false, updated_at = now()
            where oauth_connection_id = $1 and removed_at is null
            """,
            connection_id,
        )


async def expiring(db: Executor, renewals: Mapping[str, tuple[timedelta, timedelta]], limit: int) -> list[Record]:
    """Connections whose tokens end within their vendor's margin, and were not renewed too lately. Each vendor's soonest
    first, the vendors in turn: one that is out does not keep the others waiting."""
    return await db.fetch(
        """
        select c.id, c.client_id, c.provider
        from oauth_connections c
        join unnest($1::text[], $2::interval[], $3::interval[]) as due (provider, margin, every)
          on due.provider = c.provider
        where c.is_connected and c.revoked_at is null and c.removed_at is null and c.expires_at < now() + due.margin
          and coalesce(c.last_refreshed_at, c.created_at) < now() - due.every
        order by row_number() over (partition by c.provider order by c.expires_at), c.expires_at limit $4
        """,
        list(renewals), [margin for margin, _ in renewals.values()], [every for _, every in renewals.values()], limit,
    )  # fmt: skip


async def broken(db: Executor, client_id: UUID, connection_id: UUID) -> Record | None:
    """A connection that waits for somebody to connect it again: provider, provider_account_name, last_error,
    client_name."""
    return await db.fetchrow(
        """
        select c.provider, c.provider_account_name, c.last_error,
               coalesce(nullif(b.business_name, ''), trim(u.first_name || ' ' || u.last_name)) as client_name
        from oauth_connections c join users u on u.id = c.client_id
        left join brand_assets b on b.user_id = u.id
        where c.id = $2 and c.client_id = $1 and not c.is_connected and c.revoked_at is null and c.removed_at is null
        """,
        client_id,
        connection_id,
    )


# --- resources --------------------------------------------------------------------------------------------------------


async def resources_page(db: Executor, connection_id: UUID) -> str:
    """A connection's resources as JSON text, primary first."""
    text: str = await db.fetchval(
        f"""
        select coalesce(json_agg({_RESOURCE} order by r.is_primary desc, r.created_at, r.id), '[]')::text
        from oauth_resources r where r.oauth_connection_id = $1 and r.removed_at is null
        """,  # noqa: S608  the column list is ours
        connection_id,
    )
    return text


async def client_resources_page(db: Executor, client_id: UUID) -> str:
    """A client's resources of all connections as JSON text."""
    text: str = await db.fetchval(
        f"""
        select coalesce(json_agg({_RESOURCE} || jsonb_build_object('connection_name', c.provider_account_name)
                                 order by r.provider, r.is_primary desc, r.created_at, r.id), '[]')::text
        from oauth_resources r join oauth_connections c on c.id = r.oauth_connection_id
        where r.client_id = $1 and r.removed_at is null and c.removed_at is null
        """,  # noqa: S608  the column list is ours
        client_id,
    )
    return text


async def show_resource(db: Executor, resource_id: UUID) -> str | None:
    text: str | None = await db.fetchval(
        f"select {_RESOURCE}::text from oauth_resources r where r.id = $1 and r.removed_at is null",  # noqa: S608
        resource_id,
    )
    return text


async def lock_resource(db: Executor, resource_id: UUID) -> Record | None:
    """A resource and its connection, whose lock keeps two primaries apart: id, oauth_connection_id, client_id, name."""
    return await db.fetchrow(
        """
        select r.id, r.oauth_connection_id, r.client_id, r.resource_name, r.resource_type
        from oauth_connections c join oauth_resources r on r.oauth_connection_id = c.id
        where r.id = $1 and r.removed_at is null for update
        """,
        resource_id,
    )


async def add_resource(db: Executor, connection: Record, values: dict[str, Any]) -> UUID | None:
    """A new resource, or one that was removed and comes back as itself; None when it is there already."""
    found: UUID | None = await db.fetchval(
        """
        insert into oauth_resources as r (client_id, oauth_connection_id, provider, resource_type, resource_id,
                                          resource_name, resource_username, resource_url)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (oauth_connection_id, resource_id) do update
        set resource_type = excluded.resource_type, resource_name = excluded.resource_name,
            resource_username = excluded.resource_username, resource_url = excluded.resource_url,
            removed_at = null, is_enabled = true, updated_at = now()
        where r.removed_at is not null
        returning id
        """,
        connection["client_id"], connection["id"], connection["provider"], values["resource_type"],
        values["resource_id"], values["resource_name"], values["resource_username"], values["resource_url"],
    )  # fmt: skip
    return found


async def update_resource(db: Executor, resource_id: UUID, values: dict[str, Any]) -> None:
    await db.execute(
        """
        update oauth_resources
        set resource_name = coalesce($2, resource_name),
            resource_username = case when $3::text is null then resource_username else nullif($3, '') end,
            resource_url = case when $4::text is null then resource_url else nullif($4, '') end,
            is_primary = coalesce($5, is_primary), is_enabled = coalesce($6, is_enabled), updated_at = now()
        where id = $1
        """,
        resource_id, values["resource_name"], values["resource_username"], values["resource_url"],
        values["is_primary"], values["is_enabled"],
    )  # fmt: skip


async def set_primary(db: Executor, connection_id: UUID, resource_id: UUID) -> None:
    """Make one resource the connection's primary one."""
    await db.execute(
        """
        update oauth_resources set is_primary = false, updated_at = now()
        where oauth_connection_id = $1 and is_primary and id <> $2
        """,
        connection_id,
        resource_id,
    )
    await db.execute("update oauth_resources set is_primary = true, updated_at = now() where id = $1", resource_id)


async def remove_resource(db: Executor, resource_id: UUID) -> Record | None:
    """Take a resource away from the dashboard; what refers to it stays."""
    return await db.fetchrow(
        """
        update oauth_resources set removed_at = now(), is_primary = false, is_enabled = false, updated_at = now()
        where id = $1 and removed_at is null returning client_id, resource_type, resource_name
        """,
        resource_id,
    )


async def keep_locations(db: Executor, connection_id: UUID, account_id: str, location_ids: Sequence[str]) -> None:
    """Remember under which account Google has shown these locations."""
    await db.execute(
        """
        insert into oauth_locations (oauth_connection_id, location_id, account_id)
        select $1, id, $2 from unnest($3::text[]) as seen (id)
        on conflict (oauth_connection_id, location_id) do update
        set account_id = excluded.account_id, seen_at = now()
        """,
        connection_id, account_id, sorted(set(location_ids)),
    )  # fmt: skip


async def location_account(db: Executor, owner: UUID, connection_id: UUID, location_id: str) -> str | None:
    """The account of a location that was seen before."""
    found: str | None = await db.fetchval(
        """
        select l.account_id from oauth_locations l join oauth_connections c on c.id = l.oauth_connection_id
        where c.client_id = $1 and c.id = $2 and l.location_id = $3
        """,
        owner, connection_id, location_id,
    )  # fmt: skip
    return found
