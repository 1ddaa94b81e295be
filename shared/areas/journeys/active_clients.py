"""Use cases of active clients: a lead agrees to a service and becomes one, the archive, redaction.

Source: seeds DATA_FLOWS §4, spec api-leads §2 C1 to C6. Answers are §ActiveClient as JSON text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

from shared.areas.journeys import clients_store, rules, turns
from shared.areas.journeys.models import Agreement, UpdateActiveClient
from shared.areas.leads import service as leads
from shared.db.database import Database, Record, Transaction
from shared.errors import Invalid, NotFound

NO_CLIENT = "There is no such client."
NO_NAME: Final = "Unknown"
_BATCH: Final = 1000


async def agree(tx: Transaction, owner: UUID, agreement: Agreement, call_id: str | None) -> UUID:
    """Make a lead, or whoever is named, an active client who agreed to these services; the client's id.

    Once, however often it is said: who has the number, or was linked to the call by hand, is that client already, and
    comes back from the archive; a lead agrees to a service once. Their journeys and calls are theirs from now on.
    """
    await turns.take(tx, owner)
    prices = agreement.prices
    if await clients_store.owned_services(tx, owner, list(prices)) != len(prices):
        raise NotFound("There is no such service.")
    told = call_id or agreement.lead_call_id
    lead = await leads.find_lead(tx, owner, told) if told else None
    who = _who(agreement, lead)
    known = await _known(tx, owner, who, lead)
    client_id = await _keep(tx, owner, agreement, who, lead, known)
    number = (known and known["client_phone"]) or who["client_phone"]
    key = lead["call_id"] if lead else None
    await clients_store.add_sales(tx, client_id, key, prices)
    await clients_store.convert_journeys(
        tx, owner, client_id, lead_key=key, number=who["client_phone"] or number, services=list(prices)
    )
    if key:
        await leads.link_agreed(tx, owner, key, client_id, number)
    if known and known["archived_at"]:
        await leads.relabel_linked(tx, owner, client_id, archived=False)
    await turns.refresh_callers(tx, owner, number, who["client_phone"])
    return client_id


async def clients(db: Database, owner: UUID, *, archived: bool) -> str:
    return await clients_store.clients(db, owner, archived=archived)


async def update(tx: Transaction, owner: UUID, client_id: UUID, change: UpdateActiveClient) -> str:
    await turns.take(tx, owner)
    columns = change.columns()
    if not columns:
        raise Invalid("There is nothing to change.", code="NOTHING_TO_CHANGE")
    before = await clients_store.find(tx, owner, client_id)
    if before is None:
        raise NotFound(NO_CLIENT)
    await clients_store.set_columns(tx, owner, client_id, columns)
    await turns.refresh_callers(tx, owner, before["client_phone"], columns.get("client_phone"))
    text = await clients_store.client(tx, owner, client_id)
    assert text is not None, "it is its owner's turn"
    return text


async def archive(tx: Transaction, owner: UUID, client_id: UUID) -> None:
    """Put a client into the archive with their journeys; who calls from their number returns."""
    await _shelve(tx, owner, client_id, clients_store.archive, archived=True)


async def restore(tx: Transaction, owner: UUID, client_id: UUID) -> None:
    """Take a client out of the archive, and the journeys that went there with them; others stay where they are."""
    await _shelve(tx, owner, client_id, clients_store.restore, archived=False)


async def redact(db: Database, owner: UUID | None) -> dict[str, int]:
    """Empty what is over 90 days old, of one owner or of all: the services sold, and the concerns of journeys.

    Running it twice, or twice at once, redacts everything once.
    """
    return {
        "services_redacted": await _in_batches(clients_store.redact_services, db, owner),
        "journeys_redacted": await _in_batches(clients_store.redact_journeys, db, owner),
    }


# Within


def _who(agreement: Agreement, lead: Record | None) -> dict[str, str | None]:
    """Name, telephone and address: as told, else of the funnel, else of the call."""

    def known(name: str, funnel: str, given: str | None) -> str | None:
        told: str | None = given or agreement.told(funnel) or (lead[name] if lead else None)
        return told

    return {
        "client_name": known("client_name", "caller_name", agreement.client_name) or NO_NAME,
        "client_phone": known("client_phone", "caller_number", agreement.client_phone),
        "client_email": known("client_email", "email", agreement.client_email),
    }


async def _known(tx: Transaction, owner: UUID, who: dict[str, str | None], lead: Record | None) -> Record | None:
    if lead is not None and lead["linked_by_hand"] and lead["active_client_id"]:
        return await clients_store.find(tx, owner, lead["active_client_id"])
    found = await clients_store.find_by_number(tx, owner, who["client_phone"])
    if found is None and lead is None:
        return await clients_store.find_recent(tx, owner, who)
    return found


async def _keep(
    tx: Transaction,
    owner: UUID,
    agreement: Agreement,
    who: dict[str, str | None],
    lead: Record | None,
    known: Record | None,
) -> UUID:
    """The client's row, made or completed: what is known of them stays, sources and funnel data are added to."""
    seen = await leads.sources_of(tx, owner, who["client_phone"])
    before = dict(known) if known else {}
    source = rules.joined_sources(
        before.get("source"), agreement.source, agreement.told("source"), lead and lead["source"], *seen
    )
    columns: dict[str, Any] = {name: before.get(name) or told for name, told in who.items()}
    if columns["client_name"] == NO_NAME:
        columns["client_name"] = who["client_name"]
    columns |= {"source": source, "funnel_data": {**before.get("funnel_data", {}), **agreement.funnel_data}}
    if known is None:
        return await clients_store.insert(tx, owner, columns)
    client_id: UUID = known["id"]
    if known["archived_at"]:
        await clients_store.restore(tx, owner, client_id)
    await clients_store.set_columns(tx, owner, client_id, columns)
    return client_id


Shelve = Callable[[Transaction, UUID, UUID], Awaitable[Record | None]]


async def _shelve(tx: Transaction, owner: UUID, client_id: UUID, shelve: Shelve, *, archived: bool) -> None:
    await turns.take(tx, owner)
    row = await shelve(tx, owner, client_id)
    if row is None:
        raise NotFound(NO_CLIENT)
    await leads.relabel_linked(tx, owner, client_id, archived=archived)
    await turns.refresh_callers(tx, owner, row["client_phone"], *row["others"])


Redact = Callable[..., Awaitable[int]]


async def _in_batches(redact: Redact, db: Database, owner: UUID | None) -> int:
    total = 0
    while done := await redact(db, owner, kept_for=rules.KEPT_FOR, at_most=_BATCH):
        total += done
    return total
