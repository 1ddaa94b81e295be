"""New tokens into the one row of a client's account: first time, again, or after it was revoked or removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.areas.clients import audit
from shared.areas.clients.audit import Actor
from shared.areas.connections import post_store, publishing, rules, store, withdrawal_store
from shared.areas.connections.tokens import opened, sealed
from shared.db.database import Transaction

if TYPE_CHECKING:
    from shared.crypto import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person has consented to at a vendor, with the tokens of it."""

    provider: str
    account_id: str
    account_name: str | None
    access_token: str | None = field(repr=False)
    refresh_token: str | None = field(repr=False)
    token_type: str | None
    scopes: Sequence[str]
    expires_at: datetime | None
    facts: Mapping[str, Any]


async def save(tx: Transaction, client_id: UUID, consent: Consent, ring: KeyRing, actor: Actor) -> UUID:
    """Store the consent's tokens sealed and return the connection's id.

    A vendor that sends no refresh token again leaves the old one standing.
    """
    row = await store.ensure(tx, client_id, consent.provider, consent.account_id)
    connection_id: UUID = row["id"]
    refresh = consent.refresh_token or opened(
        ring, connection_id, "encrypted_refresh_token", row["encrypted_refresh_token"] or ""
    )
    await store.connect(
        tx,
        connection_id,
        {
            "name": consent.account_name,
            "access": sealed(ring, connection_id, "encrypted_access_token", consent.access_token),
            "refresh": sealed(ring, connection_id, "encrypted_refresh_token", refresh),
            "key_id": ring.current,
            "token_type": consent.token_type,
            "scopes": list(consent.scopes),
            "expires_at": consent.expires_at,
            "facts": rules.without_secrets(consent.facts),
        },
    )
    await resume(tx, connection_id, consent.provider, consent.account_id)
    event = "oauth_connected" if row["is_new"] else "oauth_connected_again"
    await audit.record(tx, actor, event, client_id, provider=consent.provider, connection_id=str(connection_id))
    return connection_id


async def resume(tx: Transaction, connection_id: UUID, provider: str, account_id: str) -> None:
    """What follows from new tokens: posts that waited for them are sent, and a withdrawal that still waits for the same
    account is called off, because it would end the new consent too."""
    await withdrawal_store.call_off(tx, provider, account_id)
    for post_id in await post_store.waiting_for(tx, connection_id):
        await publishing.enqueue(tx, post_id)
