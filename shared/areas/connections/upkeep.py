"""Keeping connections alive while nobody looks, and telling the staff of one that broke."""

from __future__ import annotations

import asyncio

from shared.areas.connections import rules, store, tokens
from shared.areas.connections.models import ConnectionBroken
from shared.areas.connections.outside import Outside
from shared.areas.emails.templates import Site
from shared.areas.notifications import service as notifications
from shared.areas.notifications.models import Notice
from shared.areas.ports import GetKeyRing
from shared.db.database import Record, Transaction
from shared.errors import NotFound, VendorError

BATCH = 200  # of one run; the next one takes the rest
_AT_ONCE = 3  # one connection of the pool stays free
_NAMES = {
    "google": "Google",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "tiktok": "TikTok",
    "wordpress": "WordPress",
}


async def renew_expiring(outside: Outside) -> int:
    """Renew the tokens that would end soon; how many were. What the vendors refuse breaks its connection; an outage is
    left to the next run."""
    due = await store.expiring(outside.db, rules.RENEWALS, BATCH)
    slots = asyncio.Semaphore(_AT_ONCE)

    async def renew(row: Record) -> bool:
        margin, _ = rules.RENEWALS[row["provider"]]
        async with slots:
            try:
                await tokens.fresh_token(outside, row["client_id"], row["id"], margin=margin)
            except (VendorError, NotFound) as error:
                outside.warn("token_not_renewed", connection_id=row["id"], reason=str(error))
                return False
        return True

    ended = await asyncio.gather(*map(renew, due), return_exceptions=True)
    for failure in ended:  # ours, such as a key that is not known here yet: all have ended before it is raised
        if isinstance(failure, BaseException):
            raise failure
    return sum(renewed is True for renewed in ended)


async def announce_break(tx: Transaction, broken: ConnectionBroken, *, site: Site, key_ring: GetKeyRing) -> None:
    """Tell the head staff that somebody must connect again; nothing when somebody has already."""
    row = await store.broken(tx, broken.client_id, broken.connection_id)
    if row is None:
        return
    vendor = _NAMES[row["provider"]]
    account = f" ({row['provider_account_name']})" if row["provider_account_name"] else ""
    notice = Notice(
        title=f"{vendor} needs to be connected again for {row['client_name']}",
        body=f"The {vendor} connection{account} has stopped working. {row['last_error'] or ''}".strip(),
        link="/client-hub",
        meta={
            "client_id": str(broken.client_id),
            "connection_id": str(broken.connection_id),
            "provider": row["provider"],
        },
    )
    await notifications.notify(tx, await notifications.head_staff(tx), notice, site=site, key_ring=key_ring)
