"""The link that lets a client in: issued, found, consumed, revoked.

A link's token is found by its hash; a sealed copy serves the copy button. A client has one open link at most: a new one
revokes the one before, whoever of two admins comes later. Its holder has shown that they read the mail of the client's
address, so another address or role revokes it too. Source: seeds DATA_FLOWS §1, spec api-accounts §3.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from shared.areas.clients import audit
from shared.areas.clients.audit import Actor
from shared.areas.emails import service as emails
from shared.areas.emails import templates
from shared.areas.emails.models import Mail
from shared.areas.emails.templates import Site
from shared.areas.onboarding import link_store
from shared.areas.ports import GetKeyRing, Instance
from shared.crypto import KeyRing, Sealed, column_context
from shared.db.database import Executor, Record, Transaction
from shared.errors import Invalid, NotFound

if TYPE_CHECKING:
    from shared.config import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """What inviting needs: where our pages are, the keys, and how long a link lives."""

    site: Site
    key_ring: GetKeyRing
    lifetime: timedelta


def mailing(instance: Instance) -> Mailing:
    return mailing_with(instance.settings, instance.key_ring)


def mailing_with(settings: Settings, key_ring: GetKeyRing) -> Mailing:
    return Mailing(
        site=Site(settings.app_base_url, settings.client_app_url),
        key_ring=key_ring,
        lifetime=timedelta(hours=settings.onboarding_link_lifetime_h),
    )


class NoActiveLink(NotFound):
    """There is no link to copy."""

    def __init__(self) -> None:
        super().__init__("There is no active onboarding link. Send the onboarding mail to make one.", noActiveLink=True)


def token_hash(token: str) -> str:
    """What a link is found by."""
    return hashlib.sha256(token.encode()).hexdigest()


async def invite(tx: Transaction, client_id: UUID, actor: Actor, mailing: Mailing) -> None:
    """Issue a new link, revoke older ones, and mail it. Invalid unless it is a client who has not finished."""
    client = await _require_unfinished(tx, client_id, lock=True)
    await link_store.revoke_open(tx, client_id)
    token, link_id = str(uuid4()), uuid4()
    expires_at = datetime.now(UTC) + mailing.lifetime
    sealed = (await mailing.key_ring()).seal(token.encode(), context=_context(link_id))
    await link_store.insert(
        tx, link_id, client_id, token_hash=token_hash(token), sealed=sealed, expires_at=expires_at, by=actor.id
    )
    content = templates.onboarding_invite(
        name=client["first_name"], token=token, expires_at=expires_at, site=mailing.site
    )
    mail = Mail(
        type="onboarding_invite",
        to=client["email"],
        to_name=client["name"],
        subject=content.subject,
        text=content.text,
        html=content.html,
        client_id=client_id,
        triggered_by_id=actor.id,
        message_key=f"onboarding_invite_{link_id}",
    )
    await emails.queue(tx, mail, mailing.key_ring)
    await audit.record(tx, actor, "onboarding_invited", client_id)


async def copy(db: Executor, client_id: UUID, actor: Actor, *, site: Site, ring: KeyRing) -> dict[str, Any]:
    """The open link of a client who has not finished, to copy, which the audit trail keeps; NoActiveLink."""
    await _require_unfinished(db, client_id)
    row = await link_store.open_link(db, client_id)
    token = unseal(row, ring) if row else None
    if row is None or token is None:
        raise NoActiveLink()
    await audit.record(db, actor, "onboarding_link_shown", client_id)
    return {
        "url": site.page(f"/onboarding/{token}"),
        "expiresAt": row["expires_at"].astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "message": "This is the client's open link.",
    }


async def is_open(db: Executor, client_id: UUID) -> bool:
    """Whether a client has a link that works."""
    return await link_store.open_link(db, client_id) is not None


async def find(db: Executor, token: str) -> Record:
    """Whose link a token is (id, user_id), validated now; NotFound when it is unknown, used, revoked or expired."""
    return _valid(await link_store.validate(db, token_hash(token)))


async def hold(tx: Transaction, token: str) -> Record:
    """The same for a transaction that writes: until its commit nobody uses the link up or revokes it."""
    await link_store.lock_owner(tx, token_hash(token))
    return await find(tx, token)


async def consume(tx: Transaction, token: str) -> Record:
    """Use a link up, once: of two calls at the same time one gets NotFound. The client's other links are revoked."""
    await link_store.lock_owner(tx, token_hash(token))
    row = _valid(await link_store.consume(tx, token_hash(token)))
    await link_store.revoke_open(tx, row["user_id"])
    return row


def _valid(row: Record | None) -> Record:
    if row is None:
        raise NotFound("This onboarding link is no longer valid. Please ask for a new one.", code="LINK_INVALID")
    return row


async def revoke_all(tx: Transaction, client_id: UUID) -> int:
    """Revoke a client's open links; how many there were."""
    return await link_store.revoke_open(tx, client_id)


def unseal(row: Record, ring: KeyRing) -> str | None:
    """The token of a link; None for one of the old server that kept no copy."""
    if row["token_sealed"] is None:
        return None
    return ring.open(Sealed(row["token_key_id"], row["token_sealed"]), context=_context(row["id"])).decode()


def _context(link_id: UUID) -> str:
    return column_context("client_onboarding_tokens", "token_sealed", link_id)


async def _require_unfinished(db: Executor, client_id: UUID, *, lock: bool = False) -> Record:
    client = await link_store.client(db, client_id, lock=lock)
    if client is None:
        raise NotFound("There is no such account.")
    if client["role"] != "client":
        raise Invalid("Only a client can be invited to onboarding.", code="NOT_A_CLIENT")
    if client["onboarding_completed_at"] is not None:
        raise Invalid("This client has already finished onboarding.", code="ONBOARDING_DONE")
    return client
