"""The leads area's use cases as the dashboard asks for them; syncing, labelling and posting ratings have their files.

Answers are JSON text where PostgreSQL made the rows. An id of another client's call is an id that does not exist.
"""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import UUID

from shared.areas.leads import board, labelling, queries, ratings, rules, store, sync
from shared.areas.leads.models import ListCalls
from shared.areas.leads.outside import Outside
from shared.areas.leads.sync import Budget, Synced, SyncRunning
from shared.db.database import Database, Record, Transaction
from shared.errors import Invalid, NotFound, VendorError

NO_CALL = "There is no such call."
FIRST_PAGE = ListCalls()

# A person waits: a first sync of many calls goes on by itself after this.
WHILE_WAITING = Budget(pages_s=25, labels_s=20)
RELOADING = Budget(pages_s=150, labels_s=20)
IN_BACKGROUND = Budget(pages_s=90, labels_s=40)


async def list_calls(db: Database, owner: UUID, query: ListCalls) -> bytes:
    """One page of calls with ``pagination``."""
    calls, total = await queries.list_calls(db, owner, query)
    return _page(calls, cached=True, pagination=_pagination(query, total))


async def list_with_sync(outside: Outside, owner: UUID, query: ListCalls) -> bytes:
    """The list after a sync; when CTM fails or another sync runs, the stored calls, marked so."""
    said: dict[str, Any] = {}
    try:
        done = await sync.sync(outside, owner, full=False, budget=WHILE_WAITING)
        meta = {"pagesProcessed": done.pages, "totalFetched": done.fetched}
        said = {"synced": True, "newCalls": done.new, "syncMeta": meta}
    except SyncRunning as running:
        said = {"cached": True, "message": running.message}
    except Invalid as missing:
        said = {"cached": True, "message": missing.message}
    except VendorError as error:
        outside.warn("sync_failed", reason=str(error))
        said = {
            "cached": True,
            "stale": True,
            "message": "CallTrackingMetrics could not be read; these calls are stored.",
        }
    calls, total = await queries.list_calls(outside.db, owner, query)
    return _page(calls, **said, pagination=_pagination(query, total))


async def sync_calls(outside: Outside, owner: UUID, *, full: bool) -> bytes:
    """What the sync button gets: the first page of calls, and what is new."""
    try:
        done = await sync.sync(outside, owner, full=full, budget=WHILE_WAITING)
    except SyncRunning as running:
        calls, _ = await queries.list_calls(outside.db, owner, FIRST_PAGE)
        meta = {"pagesProcessed": 0, "totalFetched": 0, "fullSync": full}
        told = {"synced": False, "newCalls": 0, "updatedCalls": 0, "syncMeta": meta, "message": running.message}
        return _page(calls, **told)
    calls, _ = await queries.list_calls(outside.db, owner, FIRST_PAGE)
    told = {
        "synced": True,
        "newCalls": done.new,
        "updatedCalls": done.updated,
        "syncMeta": {"pagesProcessed": done.pages, "totalFetched": done.fetched, "fullSync": done.full},
        "message": _message(done),
    }
    return _page(calls, **told)


async def sync_fully(outside: Outside, owner: UUID) -> dict[str, Any]:
    """The long window, begun or gone on with; what does not fit this request goes on by itself."""
    done = await sync.sync(outside, owner, full=True, budget=WHILE_WAITING)
    return {
        "success": True,
        "newCalls": done.new,
        "updatedCalls": done.updated,
        "syncMeta": {
            "pagesProcessed": done.pages,
            "totalFetched": done.fetched,
            "startDate": str(done.since),
            "endDate": str(done.until),
        },
        "message": _message(done),
    }


async def clear_and_reload(outside: Outside, owner: UUID) -> bytes:
    """Let what CTM has replace what is stored; the first page of the result."""
    done = await sync.reload(outside, owner, budget=RELOADING)
    calls, total = await queries.list_calls(outside.db, owner, FIRST_PAGE)
    message = f"Reloaded {done.fetched} calls from CallTrackingMetrics."
    return _page(calls, message=message, pagination=_pagination(FIRST_PAGE, total))


async def detail(db: Database, owner: UUID, call_id: str) -> str:
    return _found(await queries.detail(db, owner, call_id))


async def history(db: Database, owner: UUID, call_id: str) -> str:
    return _found(await queries.history(db, owner, call_id))


async def rate(tx: Transaction, owner: UUID, call_id: str, score: int) -> dict[str, Any]:
    await ratings.rate(tx, owner, call_id, score)
    return {"message": f"Rated {score} stars.", "rating": score}


async def clear_rating(tx: Transaction, owner: UUID, call_id: str) -> dict[str, Any]:
    await ratings.rate(tx, owner, call_id, 0)
    return {"message": "The rating was cleared."}


async def set_category(tx: Transaction, owner: UUID, call_id: str, category: str) -> dict[str, Any]:
    """A person's choice: no sync, rule or AI changes it; the stars stay as they are."""
    if category not in rules.CATEGORIES:
        raise Invalid.field("category", f"must be one of {', '.join(rules.CATEGORIES)}")
    if not await store.set_category(tx, owner, call_id, category, "user"):
        raise NotFound(NO_CALL)
    return {"message": "The category was changed.", "category": category}


async def link_client(tx: Transaction, owner: UUID, call_id: str, client_id: UUID) -> dict[str, Any]:
    client = await store.active_client(tx, owner, client_id)
    if client is None:
        raise NotFound("There is no such client.")
    if not await store.link(tx, owner, call_id, client_id):
        raise NotFound(NO_CALL)
    named = {"id": str(client["id"]), "client_name": client["client_name"]}
    return {"message": "The call was linked.", "activeClient": named}


async def unlink_client(tx: Transaction, owner: UUID, call_id: str) -> dict[str, Any]:
    caller_type = await store.unlink(tx, owner, call_id)
    if caller_type is None:
        raise NotFound(NO_CALL)
    return {"message": "The link was removed.", "callerType": caller_type}


async def move(tx: Transaction, owner: UUID, call_id: str, stage_id: UUID | None) -> dict[str, Any]:
    if stage_id is not None:
        await board.require_stage(tx, owner, stage_id)
    if not await store.move(tx, owner, call_id, stage_id):
        raise NotFound(NO_CALL)
    return {"message": "The call was moved.", "callId": call_id, "stageId": stage_id and str(stage_id)}


# For the area that changes journeys and active clients


async def hold_syncs(tx: Transaction, owner: UUID) -> None:
    """Until the transaction ends, no sync stores calls of this client: two that change the calls of one caller would
    wait for each other. To be asked for before anything of a call is changed."""
    await store.hold_lease_row(tx, owner)


async def refresh_callers(tx: Transaction, owner: UUID, numbers: list[str]) -> None:
    """Say anew who calls from these numbers."""
    await store.refresh_callers(tx, owner, numbers)


async def find_lead(tx: Transaction, owner: UUID, call_id: str) -> Record:
    """A call, by CTM's id or its row's; NotFound when there is none.

    With id, call_id, client_name, client_phone, client_email, source, active_client_id and whether that is
    ``linked_by_hand``.
    """
    try:
        row_id = UUID(call_id)
    except ValueError:
        row_id = None
    found = await store.lead(tx, owner, call_id, row_id)
    if found is None:
        raise NotFound(NO_CALL)
    return found


async def sources_of(tx: Transaction, owner: UUID, number: str | None) -> list[str]:
    """Where the calls from a number came from, the earliest first: what syncs have stored, so that nobody waits for
    CTM."""
    return await store.sources(tx, owner, number)


async def link_agreed(tx: Transaction, owner: UUID, call_id: str, client_id: UUID, number: str | None) -> None:
    """A call's caller became the active client *client_id*, whose telephone number is *number*."""
    await store.link_agreed(tx, owner, call_id, client_id, number)


async def relabel_linked(tx: Transaction, owner: UUID, client_id: UUID, *, archived: bool) -> None:
    """An active client went into the archive, or came back: so did the callers of calls linked to it by hand."""
    await store.relabel_linked(tx, owner, client_id, "returning_customer" if archived else "active_client")


async def reclassify(outside: Outside, owner: UUID, *, limit: int, force: bool) -> dict[str, Any]:
    """Ask the AI again about the newest *limit* calls with words. What does not fit this request goes on by itself.

    Ratings and categories that people gave stay; a failed try changes nothing and is tried again.
    """
    await _require_client(outside.db, owner)
    async with outside.transaction() as tx:
        asked = await store.request_reclassification(tx, owner, limit, force=force)
    client = await labelling.client_of(outside, owner)
    until = time.monotonic() + WHILE_WAITING.labels_s
    done = await labelling.label_waiting(outside, client, until=until)
    message = f"Reclassified {done.updated} calls."
    if done.queued:
        message += f" {done.queued} more are being classified."
    return {
        "message": message,
        "updated": done.updated,
        "skipped": asked["scanned"] - asked["asked"],
        "errors": done.errors,
        "queued": done.queued,
        "scanned": asked["scanned"],
        "limit": limit,
        "forced": force,
    }


async def reclassification(db: Database, owner: UUID) -> dict[str, Any]:
    """How many calls still wait for a new label, and how many of these failed at their last try."""
    await _require_client(db, owner)
    row = await store.reclassification(db, owner)
    return {
        "finished": row["waiting"] == 0,
        "waiting": row["waiting"],
        "failing": row["failing"],
        "requestedAt": rules.iso(row["since"]),
    }


async def _require_client(db: Database, owner: UUID) -> None:
    if not await store.is_client(db, owner):
        raise NotFound("There is no such client.")


async def forget_cursor(tx: Transaction, owner: UUID) -> dict[str, Any]:
    """The next sync reads the long window anew."""
    await store.forget_cursor(tx, owner)
    return {"message": "The next sync reads all calls anew."}


def _message(done: Synced) -> str:
    parts = [f"{done.new} new and {done.updated} updated calls."]
    if not done.finished:
        parts.append("There are more; they are being read.")
    if done.labelled.queued:
        parts.append(f"{done.labelled.queued} calls are being classified.")
    return " ".join(parts)


def _pagination(query: ListCalls, total: int) -> dict[str, Any]:
    pages = -(-total // query.limit)
    return {
        "page": query.page,
        "limit": query.limit,
        "total": total,
        "totalPages": pages,
        "hasMore": query.page < pages,
    }


def _found(text: str | None) -> str:
    if text is None:
        raise NotFound(NO_CALL)
    return text


def _page(calls: bytes, **told: object) -> bytes:
    """What is told of a page of calls, as a JSON object that ends with the calls."""
    return b'%b,"calls":%b}' % (json.dumps(told).encode()[:-1], calls)
