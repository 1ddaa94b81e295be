"""Access tokens that work now: opened, renewed in time by one instance alone, or said to need a person.

    fresh_token    a token to call the vendor with
    using          the same around a call: a token that the vendor refuses is renewed once before anybody gives up

The vendor is asked outside of any transaction, under a lease of the row. A consent that the vendor calls withdrawn
breaks the connection, with its reason, and ``connection-broken`` tells the staff; an outage changes nothing.
Source: seeds INTEGRATIONS §7, Token Refresh; spec api-leads §5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from shared.areas.connections import apps, rules, store
from shared.areas.connections.outside import Granted, Outside
from shared.db.database import Record, Unavailable
from shared.errors import NotFound, Reconnect, TryLater

if TYPE_CHECKING:
    from shared.crypto import KeyRing

T = TypeVar("T")

NEAR = timedelta(minutes=5)  # before its end, a token is renewed
LAST = timedelta(seconds=30)  # and until here it still serves while somebody else renews it, or nobody can
LEASE = timedelta(seconds=45)  # longer than a vendor may take to answer
_WAIT_S = 12.0  # for another instance's renewal
_LOOK_AGAIN_S = 0.15
_SAVES = 3  # a rotated refresh token that is not kept is lost for good
TOPIC = "connection-broken"
ENDED = "This connection is not accepted any more and cannot be renewed. Please connect again."
NO_SUCH = "There is no such connection."


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection's tokens in clear: for the length of one call, and never for a log."""

    row: Record
    access: str
    refresh: str

    def __repr__(self) -> str:
        return f"Opened({self.row['id']})"

    def lasts(self, margin: timedelta) -> bool:
        """Whether the access token is good for *margin* from now."""
        ends: datetime | None = self.row["expires_at"]
        return bool(self.access) and (ends is None or ends - datetime.now(UTC) > margin)


async def fresh_token(
    outside: Outside, owner: UUID, connection_id: UUID, *, refused: str = "", margin: timedelta = NEAR
) -> str:
    """An access token of the client's connection that is good for some minutes.

    *refused*: a token that the vendor has just turned down; it is renewed whatever its expiry says. *margin*: how long
    the token must still last. For WordPress sites with an application password it is base64 of ``user:password``.
    Raises NotFound; Reconnect, when a person must connect again (its reason says why); TryLater, when the vendor cannot
    renew it now; Rejected, when the vendor does not know our app.
    """
    deadline = asyncio.get_running_loop().time() + _WAIT_S
    while True:
        held = await _open(outside, owner, connection_id)
        row, unspent = held.row, held.access != refused
        if unspent and held.lasts(margin):
            return held.access
        lease = await store.take_lease(outside.db, connection_id, row["token_rev"], LEASE)
        if lease is not None:
            renewed = await _renew(outside, held, lease, refused)
            if renewed is not None:
                return renewed
        elif unspent and held.lasts(LAST):
            return held.access
        elif asyncio.get_running_loop().time() > deadline:
            raise TryLater(row["provider"], reason="another instance is renewing the token")
        else:
            await asyncio.sleep(_LOOK_AGAIN_S)


async def using(outside: Outside, owner: UUID, connection_id: UUID, ask: Callable[[str], Awaitable[T]]) -> T:
    """What *ask* returns, called with a token that works. Raises as ``fresh_token`` and as *ask*."""
    token = await fresh_token(outside, owner, connection_id)
    try:
        return await ask(token)
    except Reconnect as error:
        if error.status == 403:  # the consent does not cover this; another token of it would not either
            raise
    token = await fresh_token(outside, owner, connection_id, refused=token)
    try:
        return await ask(token)
    except Reconnect as error:
        if error.status != 403:
            held = await _open(outside, owner, connection_id)
            if held.access == token:
                await break_connection(outside, held.row, "The vendor refuses this connection's tokens.")
        raise


async def break_connection(outside: Outside, row: Record, reason: str) -> None:
    """Mark the connection broken, unless it got new tokens meanwhile, and have its staff told."""
    async with outside.transaction() as tx:
        if await store.mark_broken(tx, row["id"], row["token_rev"], reason):
            await tx.publish(TOPIC, {"client_id": str(row["client_id"]), "connection_id": str(row["id"])})


async def _open(outside: Outside, owner: UUID, connection_id: UUID) -> Opened:
    row = await store.tokens_of(outside.db, owner, connection_id)
    if row is None:
        raise NotFound(NO_SUCH)
    if not row["usable"] or not (row["sealed_access"] or row["sealed_refresh"]):
        raise Reconnect(row["provider"], reason=row["last_error"] or "This connection has no tokens.")
    ring = await outside.key_ring()
    return Opened(
        row,
        opened(ring, row["id"], "encrypted_access_token", row["sealed_access"]),
        opened(ring, row["id"], "encrypted_refresh_token", row["sealed_refresh"]),
    )


def opened(ring: KeyRing, connection_id: UUID, column: str, sealed: str) -> str:
    """One token of a connection in clear; an empty one stays empty."""
    from shared.crypto import column_context

    return ring.open_text(sealed, context=column_context("oauth_connections", column, connection_id)) if sealed else ""


def sealed(ring: KeyRing, connection_id: UUID, column: str, token: str | None) -> str | None:
    """One token as its column keeps it; None for none."""
    from shared.crypto import column_context

    return ring.seal_text(token, context=column_context("oauth_connections", column, connection_id)) if token else None


async def _renew(outside: Outside, held: Opened, lease: UUID, refused: str) -> str | None:
    """The new token; the old one while it lasts and the vendor is out; None when the connection changed meanwhile."""
    row = held.row
    try:
        granted = await _ask(outside, held)
        if granted is None:
            raise Reconnect(row["provider"], reason=ENDED)
        return granted.access_token if await _keep(outside, held, lease, granted) else None
    except Reconnect as error:
        await break_connection(outside, row, _told(error))
        latest = await store.tokens_of(outside.db, row["client_id"], row["id"])
        if latest is not None and latest["usable"] and latest["token_rev"] != row["token_rev"]:
            return None  # somebody has reconnected while we asked
        raise Reconnect(row["provider"], status=error.status, reason=_told(error)) from error
    except TryLater as error:
        if held.access != refused and held.lasts(LAST):
            outside.warn("token_not_renewed", connection_id=row["id"], reason=str(error))
            return held.access
        raise
    finally:
        await asyncio.shield(store.end_lease(outside.db, row["id"], lease))


async def _ask(outside: Outside, held: Opened) -> Granted | None:
    if held.row["token_type"] == rules.BASIC:
        return None
    vendor = await apps.vendor(outside, held.row["provider"])
    return await vendor.renew(access_token=held.access, refresh_token=held.refresh or None)


async def _keep(outside: Outside, held: Opened, lease: UUID, granted: Granted) -> bool:
    """Seal and store both tokens: the old refresh token stays when no new one came."""
    row, ring = held.row, await outside.key_ring()
    ends = datetime.now(UTC) + timedelta(seconds=granted.lifetime_s) if granted.lifetime_s is not None else None
    for left in reversed(range(_SAVES)):
        try:
            return await store.keep_renewed(
                outside.db,
                row["id"],
                lease,
                access=str(sealed(ring, row["id"], "encrypted_access_token", granted.access_token)),
                refresh=sealed(ring, row["id"], "encrypted_refresh_token", granted.refresh_token or held.refresh),
                key_id=ring.current,
                expires_at=ends,
                scopes=granted.scopes,
            )
        except Unavailable:
            if not left:
                raise
            await asyncio.sleep(_LOOK_AGAIN_S)
    raise AssertionError("unreachable")


def _told(error: Reconnect) -> str:
    """The reason of a broken connection, in a sentence for the staff; never the vendor's own text."""
    return error.reason or "The vendor has withdrawn the consent. Please connect again."
