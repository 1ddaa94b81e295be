"""Taking a consent back at its vendor, after its connection has let go of the tokens.

The tokens wait sealed in ``oauth_withdrawals``, and a task of the outbox brings them to the vendor, however long it is
out. A consent that another client's connection stands on is left alone: vendors withdraw it for a whole account.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol
from uuid import UUID, uuid4

from shared.areas.connections import apps, rules, withdrawal_store
from shared.areas.connections.models import Withdraw
from shared.areas.connections.outside import Outside
from shared.areas.connections.tokens import opened
from shared.db.database import Record, Transaction
from shared.errors import Park, Reconnect, Rejected

if TYPE_CHECKING:
    from shared.crypto import KeyRing


class Site(Protocol):
    async def withdraw(self) -> bool: ...


async def request(tx: Transaction, connection: Record, ring: KeyRing) -> None:
    """Have the consent behind a connection's tokens withdrawn after the commit. *connection*: ``store.facts``, read
    before its tokens are let go."""
    access, refresh = (
        opened(ring, connection["id"], column, connection[column] or "")
        for column in ("encrypted_access_token", "encrypted_refresh_token")
    )
    if not access and not refresh:
        return
    withdrawal_id = uuid4()
    token = ring.seal_text(json.dumps({"access": access, "refresh": refresh}), context=_context(withdrawal_id))
    await withdrawal_store.insert(tx, withdrawal_id, connection, token, ring.current)
    await tx.enqueue("connections_withdraw", Withdraw(withdrawal_id=withdrawal_id).model_dump(mode="json"))


async def carry_out(outside: Outside, site: Callable[[str, str], Site], work: Withdraw) -> str | None:
    """Withdraw at the vendor; the outcome to keep, None when nothing waits any more. Raises TryLater, or Park when
    the vendor does not take our request, or our app there is configured no more."""
    row = await withdrawal_store.waiting(outside.db, work.withdrawal_id)
    if row is None:
        return None
    if row["still_used"]:
        return "another client is connected to the same account"
    tokens = json.loads((await outside.key_ring()).open_text(row["sealed_token"], context=_context(row["id"])))
    facts = row["external_metadata"]
    try:
        if facts.get("token_type") == rules.BASIC:
            done = await site(rules.rest_root(facts), tokens["access"]).withdraw()
        else:
            vendor = await apps.vendor(outside, row["provider"])
            done = await vendor.withdraw(access_token=tokens["access"], refresh_token=tokens["refresh"] or None)
    except Rejected as error:
        raise Park(f"{row['provider']} does not take the consent back: {error.reason or error.status}") from error
    except Reconnect as error:
        if error.status == 403:  # it stands, and these tokens may not end it
            return "this vendor does not let us withdraw it"
        done = True  # the vendor knows these tokens no more
    return "withdrawn" if done else "this vendor offers no way to withdraw it"


def _context(withdrawal_id: UUID) -> str:
    from shared.crypto import column_context

    return column_context("oauth_withdrawals", "sealed_token", withdrawal_id)
