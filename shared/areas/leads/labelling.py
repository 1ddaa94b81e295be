"""Labels stored calls with the AI: each call's words once, never lost, a bounded number at a time.

An unlabelled call says so in its own row (``text_version`` differs from ``classified_version``); whoever labels it
holds a short lease on the row. So it makes no difference whether a sync, a message or a person gets to it first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from shared.areas.leads import classification, ratings, rules, store
from shared.areas.leads.classification import Classification, Unclassifiable
from shared.areas.leads.models import CallIngested
from shared.areas.leads.outside import Outside
from shared.db.database import Record, Transaction
from shared.errors import Reconnect, Rejected, TryLater, VendorError

TOPIC = "call-ingested"
LEASE = timedelta(seconds=60)  # longer than a prompt may take
REFUSED = "The AI does not classify this text."
_WAVE = 256  # calls claimed at once
MOST_ANSWERS = 5  # that are no classification; then the words stay as they are
_MESSAGES = 500  # sent before a run answers; more are left to the outbox's sweep
_FINAL = frozenset({"SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"})  # the same words again: the same refusal


@dataclass(slots=True)
class Labelled:
    """What came of a run: labels kept, failures, and messages sent about calls that still wait."""

    updated: int = 0
    errors: int = 0
    queued: int = 0


Report = Callable[[Labelled], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Client:
    """Whose calls they are: what the AI is told of the business, and whether labels give stars."""

    owner: UUID
    business: str | None
    auto_star: bool


async def label_waiting(
    outside: Outside, client: Client, *, until: float, report: Report | None = None, at_most: int = 100_000
) -> Labelled:
    """Label the client's unlabelled calls until the monotonic time *until*; the rest goes out as messages.

    ``report(labelled)`` is awaited after each wave. A call whose label fails goes out as a message too.
    """
    done = Labelled()
    started = await store.now(outside.db)
    while time.monotonic() < until and done.updated + done.errors < at_most:
        rows = await store.claim_unlabelled(
            outside.db, client.owner, at_most=_WAVE, lasts=LEASE, not_tried_since=started
        )
        if not rows:
            break
        outcomes = await asyncio.gather(*(_label(outside, client, row, until) for row in rows))
        done.updated += outcomes.count("labelled")
        done.errors += outcomes.count("failed")
        if report is not None:
            await report(done)
    done.queued = await send_waiting(outside, client.owner)
    return done


async def send_waiting(outside: Outside, owner: UUID) -> int:
    """Publish one message for each call that still has no label; return how many."""
    async with outside.transaction() as tx:
        sent = last = await _publish_waiting(tx, owner)
    while last == _MESSAGES:
        async with outside.db.transaction() as tx:  # not the caller's own: nobody waits until these have left
            last = await _publish_waiting(tx, owner)
        sent += last
    return sent


async def _publish_waiting(tx: Transaction, owner: UUID) -> int:
    rows = await store.take_unsent(tx, owner, _MESSAGES)
    facts = [CallIngested(owner_id=owner, call_id=row["call_id"], version=row["text_version"]) for row in rows]
    if facts:
        await tx.publish_all(TOPIC, [fact.model_dump(mode="json") for fact in facts])
    return len(rows)


async def send_unconnected(outside: Outside) -> None:
    """The calls that a killed run left without a label, and that no sync comes to."""
    for owner in await store.waiting_without_ctm(outside.db):
        await send_waiting(outside, owner)


async def _label(outside: Outside, client: Client, row: Record, until: float) -> str:
    """Label one claimed call: ``labelled``, ``failed`` (to be tried again later), or ``late``, when time was over."""
    try:
        async with outside.ai_slots:
            if time.monotonic() >= until:
                await store.give_back(outside.db, client.owner, row["call_id"], row["text_version"], None)
                return "late"
            found = await _ask(outside, client, row)
        async with outside.transaction() as tx:
            await keep(tx, client, row, found)
    except VendorError as error:
        outside.warn("label_failed", reason=str(error))
        await _give_back(outside, client.owner, row["call_id"], row["text_version"], error)
        return "failed"
    return "labelled"


async def ask(outside: Outside, client: Client, row: Record) -> Classification | str:
    """What the AI makes of a call's words, or why it will not say: TryLater when asking again may help."""
    async with outside.ai_slots:
        return await _ask(outside, client, row)


async def _ask(outside: Outside, client: Client, row: Record) -> Classification | str:
    transcript = (row["transcript"] or "").strip()
    words, label = (transcript, classification.CALL) if transcript else (row["message"] or "", classification.FORM)
    prompt = classification.build_prompt(client.business, words, label)
    try:
        answer = await outside.ai.generate(
            prompt.content,
            system=prompt.system,
            temperature=classification.TEMPERATURE,
            max_tokens=classification.MAX_TOKENS,
            model=outside.classifier_model,
            json_schema=classification.RESPONSE_SCHEMA,
        )
        return classification.parse(answer)
    except Rejected as error:
        if error.status is not None:  # our request or our model's name is wrong: mending that makes it work
            raise TryLater("vertex", status=error.status, reason=error.reason) from error
        reason = error.reason or "withheld"
        if reason in _FINAL or reason.startswith("prompt refused"):
            return reason
        return _once_more(row, Unclassifiable(reason))
    except Unclassifiable as error:
        return _once_more(row, error)
    except Reconnect as error:
        raise TryLater("vertex", status=error.status, reason="access refused") from error


def _once_more(row: Record, error: Unclassifiable) -> str:
    """Raise *error*, to be tried again, unless that was the last try; then why the words get no label."""
    if row["classify_attempts"] + 1 < MOST_ANSWERS:
        raise error
    return error.reason


async def keep(tx: Transaction, client: Client, row: Record, found: Classification | str) -> None:
    """Store what was found of the words that *row* holds, if they still are the call's; give stars, tell the client."""
    call_id, version = row["call_id"], row["text_version"]
    if isinstance(found, str):
        await store.set_refused(tx, client.owner, call_id, version, found, REFUSED)
        return
    category = rules.labelled_category(found.category, voicemail=row["voicemail"])
    kept = await store.set_label(
        tx,
        client.owner,
        call_id,
        version,
        classification=found.category,
        summary=found.summary,
        category=category,
        stars=classification.STARS[category] if client.auto_star else 0,
    )
    if kept is None:
        return
    if kept["starred"]:
        await ratings.send(tx, client.owner, call_id, "auto")
    if kept["needs_attention"]:
        await _notify(tx, client.owner, call_id, kept)


async def _notify(tx: Transaction, owner: UUID, call_id: str, kept: Record) -> None:
    who = kept["caller_name"] or kept["caller_number"] or "Somebody"
    await store.notify(
        tx,
        owner,
        "A lead needs attention",
        f"{who} wants to hear from you.",
        "/portal?tab=leads",
        {
            "call_id": call_id,
            "caller_name": kept["caller_name"],
            "caller_number": kept["caller_number"],
            "category": "needs_attention",
        },
    )


async def client_of(outside: Outside, owner: UUID) -> Client:
    row = await store.account(outside.db, owner)
    return Client(owner, row and row["ai_prompt"], bool(row and row["auto_star"]))


async def claim(outside: Outside, fact: CallIngested) -> Record | None:
    """The call that a message is about, for this run; None when nothing is left to do.

    TryLater while another run has it.
    """
    row = await store.claim_call(outside.db, fact.owner_id, fact.call_id, fact.version, LEASE)
    if row is None and await store.awaits_label(outside.db, fact.owner_id, fact.call_id, fact.version):
        raise TryLater("classification", reason="another run is asking")
    return row


async def give_back(outside: Outside, fact: CallIngested, error: VendorError) -> None:
    """The claimed call got no label, for this reason: it is free for the next try."""
    await _give_back(outside, fact.owner_id, fact.call_id, fact.version, error)


async def _give_back(outside: Outside, owner: UUID, call_id: str, version: str, error: VendorError) -> None:
    unusable = isinstance(error, Unclassifiable)
    await store.give_back(outside.db, owner, call_id, version, str(error), unusable=unusable)
