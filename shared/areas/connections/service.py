"""A client's connections and their resources, as admins keep them.

Nothing that was ever referred to is lost: a removed connection or resource keeps its row, and comes back as itself when
it is connected or chosen again. Source: seeds INTEGRATIONS §7; spec api-leads O6-O10, O27-O31.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.areas.clients import audit
from shared.areas.clients.audit import Actor
from shared.areas.connections import rules, saving, store, withdrawals
from shared.areas.connections.models import (
    AddResource,
    CreateConnection,
    UpdateConnection,
    UpdateResource,
)
from shared.areas.connections.saving import Consent
from shared.areas.connections.tokens import NO_SUCH, sealed
from shared.db.database import Executor, Record, Transaction
from shared.errors import Invalid, NotFound

if TYPE_CHECKING:
    from shared.crypto import KeyRing

NO_CLIENT = "There is no such client."
NO_RESOURCE = "There is no such resource."


async def require_client(db: Executor, client_id: UUID) -> None:
    if not await store.is_client(db, client_id):
        raise NotFound(NO_CLIENT)


async def list_of_client(db: Executor, client_id: UUID) -> str:
    """The client's connections as JSON text."""
    await require_client(db, client_id)
    return await store.page(db, client_id)


async def show(db: Executor, connection_id: UUID) -> str:
    found = await store.show(db, connection_id)
    if found is None:
        raise NotFound(NO_SUCH)
    return found


async def facts(db: Executor, connection_id: UUID, *, lock: bool = False) -> Record:
    """What is known of a connection (``store.facts``); NotFound when there is none."""
    row = await store.facts(db, connection_id, lock=lock)
    if row is None:
        raise NotFound(NO_SUCH)
    return row


async def create(tx: Transaction, client_id: UUID, given: CreateConnection, ring: KeyRing, actor: Actor) -> str:
    """A connection with tokens that somebody brings; the same account again takes the new ones."""
    await require_client(tx, client_id)
    consent = Consent(
        provider=given.provider,
        account_id=given.provider_account_id,
        account_name=given.provider_account_name,
        access_token=given.access_token,
        refresh_token=given.refresh_token,
        token_type=given.token_type,
        scopes=given.scope_granted,
        expires_at=given.expires_at,
        facts=given.external_metadata,
    )
    return await show(tx, await saving.save(tx, client_id, consent, ring, actor))


async def update(tx: Transaction, connection_id: UUID, given: UpdateConnection, ring: KeyRing, actor: Actor) -> str:
    """Edit a connection; a token that is left empty stays, and so does where it goes. New ones make it work again."""
    row = await facts(tx, connection_id, lock=True)
    metadata, brought = given.external_metadata, given.access_token is not None
    if metadata is not None and not brought:
        metadata = rules.in_its_place(metadata, row["external_metadata"])
    renewed = brought or given.refresh_token is not None
    await store.update(
        tx,
        connection_id,
        {
            "name": given.provider_account_name,
            "token_type": given.token_type if brought else None,
            "scopes": given.scope_granted,
            "expires_at": _expiry(given, row),
            "facts": metadata,
            "last_error": None if renewed else given.last_error,
            "access": sealed(ring, connection_id, "encrypted_access_token", given.access_token),
            "refresh": sealed(ring, connection_id, "encrypted_refresh_token", given.refresh_token),
            "key_id": ring.current if renewed else None,
            "renewed": renewed,
        },
    )
    if renewed:
        await saving.resume(tx, connection_id, row["provider"], row["provider_account_id"])
    await audit.record(
        tx, actor, "oauth_connection_updated", row["client_id"], connection_id=str(connection_id), renewed=renewed
    )
    return await show(tx, connection_id)


def _expiry(given: UpdateConnection, row: Record) -> datetime | None:
    """When the token ends: as given, as it was, or unknown for a new token that comes with the old one's past end."""
    if "expires_at" not in given.model_fields_set:
        return None if given.access_token else row["expires_at"]
    past = given.expires_at is not None and given.expires_at <= datetime.now(UTC)
    return None if given.access_token and past else given.expires_at


async def revoke(tx: Transaction, connection_id: UUID, ring: KeyRing, actor: Actor) -> str:
    """End a connection: its tokens are gone here at once, and its consent at the vendor after the commit."""
    await _disconnect(tx, await facts(tx, connection_id, lock=True), ring, actor, remove=False)
    return await show(tx, connection_id)


async def delete(tx: Transaction, connection_id: UUID, ring: KeyRing, actor: Actor) -> None:
    """End a connection and take it, with its resources, away from the dashboard."""
    await _disconnect(tx, await facts(tx, connection_id, lock=True), ring, actor, remove=True)


async def withdraw_all(tx: Transaction, owner: UUID, ring: KeyRing) -> None:
    """Have all of a client's consents withdrawn, before the client's rows go."""
    for row in await store.facts_of_client(tx, owner):
        await withdrawals.request(tx, row, ring)


async def _disconnect(tx: Transaction, row: Record, ring: KeyRing, actor: Actor, *, remove: bool) -> None:
    await withdrawals.request(tx, row, ring)
    await store.disconnect(tx, row["id"], remove=remove)
    event = "oauth_removed" if remove else "oauth_revoked"
    await audit.record(tx, actor, event, row["client_id"], provider=row["provider"], connection_id=str(row["id"]))


# --- resources --------------------------------------------------------------------------------------------------------


async def list_resources(db: Executor, connection_id: UUID) -> str:
    await facts(db, connection_id)
    return await store.resources_page(db, connection_id)


async def list_resources_of_client(db: Executor, client_id: UUID) -> str:
    await require_client(db, client_id)
    return await store.client_resources_page(db, client_id)


async def add_resource(tx: Transaction, connection_id: UUID, given: AddResource, actor: Actor) -> str:
    """Choose a location, page or site; Invalid when it is chosen already or is none of this vendor's."""
    row = await facts(tx, connection_id, lock=True)
    if given.resource_type not in rules.RESOURCES_OF[row["provider"]]:
        raise Invalid.field("resource_type", f"must be one of {', '.join(rules.RESOURCES_OF[row['provider']])}")
    values = given.model_dump()
    if given.resource_type == "google_location":
        values["resource_id"] = await _location_number(tx, connection_id, given.resource_id)
    resource_id = await store.add_resource(tx, row, values)
    if resource_id is None:
        raise Invalid("This resource is chosen already.", code="RESOURCE_EXISTS")
    if given.is_primary:
        await store.set_primary(tx, connection_id, resource_id)
    await _record(tx, actor, "oauth_resource_added", row["client_id"], values)
    return await show_resource(tx, resource_id)


async def _location_number(tx: Transaction, connection_id: UUID, given: str) -> str:
    """The bare number that names a location, as the dashboard keeps it; its account is remembered when it is told."""
    found = rules.location_of(given)
    if found is None:
        raise Invalid.field("resource_id", "must be the number of a location, or locations/<number>")
    account, location = found
    if account:
        await store.keep_locations(tx, connection_id, account, [location])
    return location


async def update_resource(tx: Transaction, resource_id: UUID, given: UpdateResource, actor: Actor) -> str:
    """Change a resource; what is absent stays. A new primary one takes the place of the old."""
    row = await store.lock_resource(tx, resource_id)
    if row is None:
        raise NotFound(NO_RESOURCE)
    if given.is_primary:
        await store.set_primary(tx, row["oauth_connection_id"], resource_id)
    await store.update_resource(tx, resource_id, given.model_dump())
    await _record(tx, actor, "oauth_resource_updated", row["client_id"], row)
    return await show_resource(tx, resource_id)


async def delete_resource(tx: Transaction, resource_id: UUID, actor: Actor) -> None:
    row = await store.remove_resource(tx, resource_id)
    if row is None:
        raise NotFound(NO_RESOURCE)
    await _record(tx, actor, "oauth_resource_removed", row["client_id"], row)


async def show_resource(db: Executor, resource_id: UUID) -> str:
    found = await store.show_resource(db, resource_id)
    if found is None:
        raise NotFound(NO_RESOURCE)
    return found


async def _record(tx: Transaction, actor: Actor, event: str, client_id: UUID, resource: Any) -> None:
    await audit.record(
        tx, actor, event, client_id,
        resource_type=resource["resource_type"], resource_name=resource["resource_name"],
    )  # fmt: skip
