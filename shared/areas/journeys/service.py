"""Use cases of journeys: starting one, its state, its steps, its notes. Source: seeds DATA_FLOWS §4, spec api-leads §2.

Whatever changes journeys takes its owner's turn (``turns``). Answers are §Journey as JSON text. An id of another
client's row is an id that does not exist.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from shared.areas.journeys import clients_store, rules, store, template, turns
from shared.areas.journeys.models import (
    AddStep,
    CompleteStep,
    JourneyFields,
    ListJourneys,
    StartJourney,
    UpdateStep,
)
from shared.areas.journeys.rules import NewStep, State
from shared.areas.leads import service as leads
from shared.db.database import Database, Record, Transaction
from shared.errors import Conflict, Invalid, NotFound

NO_JOURNEY = "There is no such journey."
NO_STEP = "There is no such step."


async def journeys(db: Database, owner: UUID, query: ListJourneys) -> str:
    archived = True if query.archived or query.status == "archived" else None if query.include_archived else False
    status = None if query.status == "archived" else query.status
    return await store.journeys(db, owner, archived=archived, status=status, active_client=query.active_client_id)


async def journey(db: Database | Transaction, owner: UUID, journey_id: UUID) -> str:
    found = await store.journey(db, owner, journey_id)
    if found is None:
        raise NotFound(NO_JOURNEY)
    return found


async def start(tx: Transaction, owner: UUID, given: StartJourney) -> str:
    """Begin a journey with the template's steps.

    A lead that has one outside of the archive gets what was given written there, unless ``force_new``; nothing else of
    it changes. Whoever is not named is who called, or the active client, to whom the calls of their number lead.
    """
    await turns.take(tx, owner)
    await _require_own(tx, owner, given)
    lead = await leads.find_lead(tx, owner, given.lead_call_id) if given.lead_call_id else None
    if lead is not None and not given.force_new:
        known = await store.live_journey_of_lead(tx, owner, lead["call_id"])
        if known is not None:
            return await _change(tx, owner, known, given, with_nulls=False)
    client_id = given.active_client_id or (lead and lead["active_client_id"])
    client = await clients_store.find(tx, owner, client_id) if client_id else None
    columns = {**_contact(lead, client), **given.columns(with_nulls=False)}
    if lead is None and client is None and not any(columns.get(name) for name in _CONTACT):
        raise Invalid("Name a person, a contact, a lead or an active client.", code="NOBODY_NAMED")
    state = rules.moved(State("pending"), given.status or "pending")
    row = (lead["id"], lead["call_id"]) if lead else None
    journey_id = await store.insert(tx, owner, lead=row, state=state, columns=columns)
    await store.add_steps(tx, journey_id, await template.new_steps(tx, owner))
    if given.next_action_at is None:
        due = await store.next_due(tx, journey_id)
        await store.set_columns(tx, owner, journey_id, {"next_action_at": due})
    await turns.refresh_callers(tx, owner, columns.get("client_phone"))
    return await journey(tx, owner, journey_id)


async def update(tx: Transaction, owner: UUID, journey_id: UUID, given: JourneyFields) -> str:
    await turns.take(tx, owner)
    if not given.columns(with_nulls=True) and given.status is None:
        raise Invalid("There is nothing to change.", code="NOTHING_TO_CHANGE")
    await _require_own(tx, owner, given)
    return await _change(tx, owner, journey_id, given, with_nulls=True)


async def set_status(tx: Transaction, owner: UUID, journey_id: UUID, status: str) -> str:
    await turns.take(tx, owner)
    row = await _found(tx, owner, journey_id)
    await _move(tx, owner, row, rules.moved(_state(row), status))
    return await journey(tx, owner, journey_id)


async def archive(tx: Transaction, owner: UUID, journey_id: UUID) -> str:
    await turns.take(tx, owner)
    row = await _found(tx, owner, journey_id)
    await _move(tx, owner, row, rules.archived(_state(row)))
    return await journey(tx, owner, journey_id)


async def restore(tx: Transaction, owner: UUID, journey_id: UUID, as_status: str | None) -> str:
    """Take a journey out of the archive; one that is not there stays as it is."""
    await turns.take(tx, owner)
    row = await _found(tx, owner, journey_id)
    if row["archived"]:
        await _move(tx, owner, row, rules.restored(_state(row), as_status))
    return await journey(tx, owner, journey_id)


async def add_note(tx: Transaction, owner: UUID, journey_id: UUID, author: UUID, body: str) -> str:
    await _found(tx, owner, journey_id)
    await store.add_note(tx, journey_id, author, body)
    await store.set_columns(tx, owner, journey_id, {})
    return await journey(tx, owner, journey_id)


# Steps


async def add_step(tx: Transaction, owner: UUID, journey_id: UUID, given: AddStep) -> str:
    step = NewStep(
        label=given.label,
        channel=given.channel,
        message=given.message,
        notes=given.notes,
        weeks=given.offset_weeks,
        dated=given.is_dated,
        due_at=given.due_at,
    )
    async with _changing_steps(tx, owner, journey_id):
        (step_id,) = await store.add_steps(tx, journey_id, [step])
        if given.position is not None:
            await store.place_steps(tx, journey_id, moved=step_id, to=given.position)
    return await journey(tx, owner, journey_id)


async def update_step(tx: Transaction, owner: UUID, journey_id: UUID, step_id: UUID, given: UpdateStep) -> str:
    columns = given.columns()
    if not columns and given.position is None:
        raise Invalid("There is nothing to change.", code="NOTHING_TO_CHANGE")
    if columns.get("offset_weeks") is not None:
        columns["offset_weeks"] = round(columns["offset_weeks"])
    async with _changing_steps(tx, owner, journey_id):
        await _require_step(tx, journey_id, step_id)
        await store.update_step(tx, journey_id, step_id, columns)
        if given.position is not None:
            await store.place_steps(tx, journey_id, moved=step_id, to=given.position)
    return await journey(tx, owner, journey_id)


async def complete_step(tx: Transaction, owner: UUID, journey_id: UUID, step_id: UUID, given: CompleteStep) -> str:
    async with _changing_steps(tx, owner, journey_id):
        await _require_step(tx, journey_id, step_id)
        await store.complete_step(tx, journey_id, step_id, given.completed_at)
    return await journey(tx, owner, journey_id)


async def delete_step(tx: Transaction, owner: UUID, journey_id: UUID, step_id: UUID) -> str:
    async with _changing_steps(tx, owner, journey_id):
        if not await store.delete_step(tx, journey_id, step_id):
            raise NotFound(NO_STEP)
        await store.place_steps(tx, journey_id)
    return await journey(tx, owner, journey_id)


async def apply_template(tx: Transaction, owner: UUID, journey_id: UUID) -> str:
    """Give a journey without steps those of the template, due from now; one that has steps keeps them."""
    async with _changing_steps(tx, owner, journey_id):
        if not await store.has_steps(tx, journey_id):
            await store.add_steps(tx, journey_id, await template.new_steps(tx, owner))
    return await journey(tx, owner, journey_id)


@asynccontextmanager
async def _changing_steps(tx: Transaction, owner: UUID, journey_id: UUID) -> AsyncIterator[None]:
    """Around a change of steps: where it changes which open step is due first, the next action is that one's date.

    A next action that a person set by hand stays through all other changes.
    """
    await turns.take(tx, owner)
    await _found(tx, owner, journey_id)
    before = await store.next_due(tx, journey_id)
    yield
    due = await store.next_due(tx, journey_id)
    await store.set_columns(tx, owner, journey_id, {"next_action_at": due} if due != before else {})


async def _require_step(tx: Transaction, journey_id: UUID, step_id: UUID) -> None:
    if not await store.has_step(tx, journey_id, step_id):
        raise NotFound(NO_STEP)


# Within


_CONTACT = ("client_name", "client_phone", "client_email")


def _contact(lead: Record | None, client: Record | None) -> dict[str, Any]:
    """The active client, and name, telephone and address of who called, else the client's, as far as they are known."""
    known: dict[str, Any] = {"active_client_id": client and client["id"]}
    for name in _CONTACT:
        said = lead and lead[name]
        known[name] = said or (client and client[name]) or None
    return known


async def _found(tx: Transaction, owner: UUID, journey_id: UUID) -> Record:
    row = await store.find(tx, owner, journey_id)
    if row is None:
        raise NotFound(NO_JOURNEY)
    return row


def _state(row: Record) -> State:
    return State(row["status"], archived=row["archived"])


async def _change(tx: Transaction, owner: UUID, journey_id: UUID, given: JourneyFields, *, with_nulls: bool) -> str:
    row = await _found(tx, owner, journey_id)
    columns = given.columns(with_nulls=with_nulls)
    if columns.get("parent_journey_id") == journey_id:
        raise Invalid.field("parent_journey_id", "is this journey itself")
    if columns.get("symptoms"):
        if row["age"] > rules.KEPT_FOR and columns["symptoms"] != row["symptoms"]:
            message = f"Concerns are kept for {rules.KEPT_FOR.days} days from a journey's start. Begin a new journey."
            raise Conflict(message, code="SYMPTOMS_NOT_KEPT")
        columns["symptoms_redacted"] = False
    await store.set_columns(tx, owner, journey_id, columns)
    if given.status is not None:
        await _move(tx, owner, row, rules.moved(_state(row), given.status))
    await turns.refresh_callers(tx, owner, row["client_phone"], columns.get("client_phone"))
    return await journey(tx, owner, journey_id)


async def _move(tx: Transaction, owner: UUID, row: Record, state: State) -> None:
    if state != _state(row):
        await store.set_state(tx, owner, row["id"], state)
        await turns.refresh_callers(tx, owner, row["client_phone"])


async def _require_own(tx: Transaction, owner: UUID, given: JourneyFields) -> None:
    service, parent = await store.owns(tx, owner, service=given.service_id, parent=given.parent_journey_id)
    if not service:
        raise NotFound("There is no such service.")
    if not parent:
        raise NotFound(NO_JOURNEY)
    if given.active_client_id and not await clients_store.find(tx, owner, given.active_client_id):
        raise NotFound("There is no such client.")
