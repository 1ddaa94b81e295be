"""Reads a client's calls from CTM: page by page, each stored before the next is asked for, one sync at a time.

A window ends at tomorrow and begins some days before the cursor, so that late transcripts and ratings are seen; once a
day it reaches further back, and a full sync furthest. The cursor moves when the whole window is stored. A long window
notes its next page with every page it stores; after a kill, or when time is over, the next sync reads the newest days
and goes on from there. Source: seeds DATA_FLOWS §3, INTEGRATIONS §1; spec api-leads "CTM pull".
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from shared.areas.leads import labelling, ratings, rules, store
from shared.areas.leads.labelling import Client, Labelled
from shared.areas.leads.models import CallRecord, Page, SyncDue
from shared.areas.leads.outside import Account, Outside, open_account
from shared.areas.pauses import Pausing
from shared.db.database import Executor, Transaction
from shared.errors import Conflict, TryLater, VendorError

TOPIC = "ctm-sync-due"
LEASE = timedelta(seconds=90)  # longer than a page with its retries, or the labelling, may take
DEEP_EVERY = timedelta(days=1)
MAX_PAGES = 10_000  # of one listing: a million calls; more means that CTM's page count cannot be believed
_WAIT_AT_MOST_S = 5.0  # a longer pause ends the run; the next one goes on
_TRIES = 4
_PROGRESS = "lead_syncs"
_PROGRESS_LASTS = timedelta(days=1)


class SyncLost(TryLater):
    """This run's lease ran out, or the client got another CTM account or none: nothing more of this run is stored."""

    def __init__(self) -> None:
        super().__init__("sync", reason="lease lost")


class SyncRunning(Conflict):
    """Another sync of this client is under way."""

    code = "SYNC_RUNNING"


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a sync is, as whoever watches it reads it.

    ``state``: reading, labelling, waiting (it goes on by itself), finished, failed, or stopped (it was killed).
    """

    state: str = "reading"
    full: bool = False
    pages: int = 0
    calls: int = 0
    newCalls: int = 0
    updatedCalls: int = 0
    classified: int = 0
    queued: int = 0
    errors: int = 0
    finished: bool = False
    message: str = ""
    startedAt: str = ""
    updatedAt: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The days to read and the page to begin with. ``newest``: of the pages of this window stored before."""

    since: date
    until: date
    full: bool = False
    deep: bool = False
    page: int = 1
    newest: datetime | None = None

    def token(self) -> str:
        newest = self.newest.isoformat() if self.newest else None
        days = {"since": str(self.since), "until": str(self.until)}
        return json.dumps({"page": self.page, **days, "newest": newest, "full": self.full})

    @classmethod
    def resume(cls, token: str) -> Window | None:
        """The long window that was left unfinished; None when *token* cannot be read."""
        try:
            told = json.loads(token)
            newest = datetime.fromisoformat(told["newest"]) if told["newest"] else None
            since, until = date.fromisoformat(told["since"]), date.fromisoformat(told["until"])
            full = bool(told.get("full", True))
            return cls(since, until, full=full, deep=True, page=max(1, int(told["page"])), newest=newest)
        except (ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Seconds that one run may spend on reading pages, and on asking the AI."""

    pages_s: float
    labels_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What a run did. ``finished``: the window was read to its end; else the rest goes on by itself."""

    new: int
    updated: int
    pages: int
    fetched: int
    full: bool
    since: date
    until: date
    finished: bool
    labelled: Labelled


async def fan_out(tx: Transaction) -> int:
    """One message for each connected client."""
    facts = [SyncDue(client_id=client_id) for client_id in await store.connected_clients(tx)]
    if facts:
        await tx.publish_all(TOPIC, [fact.model_dump(mode="json") for fact in facts])
    return len(facts)


async def sync(outside: Outside, owner: UUID, *, full: bool, budget: Budget) -> Synced:
    """Read the client's window, store what changed, label what fits the budget and send the rest.

    *full*: the longest window, from its beginning unless one was left. Raises Invalid (no credentials), SyncRunning,
    and the vendor's error when CTM fails: what was stored stays, and gets its labels by messages.
    """
    account = await open_account(outside, owner)
    run = _Run(outside, owner, account, uuid4(), Progress(full=full))
    async with run.leased():
        *before, window = run.windows(full=full)
        until = time.monotonic() + budget.pages_s
        try:
            for recent in before:
                await run.read(recent, until=until)
            finished = await run.read(window, until=until)
        except VendorError:
            await labelling.send_waiting(outside, owner)
            raise
        labelled = await run.label(until=time.monotonic() + budget.labels_s)
    told = run.progress
    return Synced(
        new=told.newCalls,
        updated=told.updatedCalls,
        pages=told.pages,
        fetched=told.calls,
        full=window.full,
        since=window.since,
        until=window.until,
        finished=finished,
        labelled=labelled,
    )


async def reload(outside: Outside, owner: UUID, *, budget: Budget) -> Synced:
    """Read the whole long window first, then let it replace what is stored, in one transaction.

    Calls that CTM no longer has are deleted; older ones than the window stay. Notes, tags, stages, links, categories
    that a person chose and ratings that CTM has not got yet are kept. When CTM fails, nothing has changed.
    """
    account = await open_account(outside, owner)
    run = _Run(outside, owner, account, uuid4(), Progress(full=True))
    async with run.leased():
        window = run.new_window(outside.full_days, full=True)
        await run.replace(window, until=time.monotonic() + budget.pages_s)
        labelled = await run.label(until=time.monotonic() + budget.labels_s)
    told = run.progress
    return Synced(
        new=told.newCalls,
        updated=told.updatedCalls,
        pages=told.pages,
        fetched=told.calls,
        full=True,
        since=window.since,
        until=window.until,
        finished=True,
        labelled=labelled,
    )


async def progress(outside: Outside, owner: UUID) -> dict[str, Any]:
    """How far the client's sync is, or how the last one ended; ``{"state": "idle"}`` when none ran for a day."""
    told = await outside.documents.get(_PROGRESS, str(owner)) or {"state": "idle", "finished": True}
    if told["state"] in ("reading", "labelling") and not await store.is_leased(outside.db, owner):
        return {**told, "state": "stopped", "finished": True}
    return told


@dataclass(slots=True)
class _Run:
    """One run under its lease."""

    outside: Outside
    owner: UUID
    account: Account
    token: UUID
    progress: Progress
    is_left: bool = False  # a long window was left for the next run

    @asynccontextmanager
    async def leased(self) -> AsyncIterator[None]:
        """Hold the client's lease, and tell in the end how it went."""
        if not await store.take_lease(self.outside.db, self.owner, self.token, LEASE):
            raise SyncRunning("A sync of this client is already running.")
        self.progress.startedAt = rules.iso(datetime.now(UTC)) or ""
        try:
            await self._follow_account()
            yield
            await self.tell("waiting" if self.is_left else "finished")
        except BaseException as error:
            self.progress.message = error.vendor if isinstance(error, VendorError) else type(error).__name__
            if not isinstance(error, asyncio.CancelledError | SyncLost):
                await self.tell("failed")
            raise
        finally:
            await self._release()

    async def _follow_account(self) -> None:
        """Cursor and page token say what was read of one CTM account: of another one, nothing was."""
        async with self.outside.transaction() as tx:
            await self._fence(tx)
            await store.follow_account(tx, self.owner, self.account.number)
            row = await store.account(tx, self.owner)
        self.account = replace(self.account, row=row)

    async def _release(self) -> None:
        """End the lease, and only then have a window that was left gone on with: the next run finds the client free."""
        async with self.outside.transaction() as tx:
            await store.release_lease(tx, self.owner, self.token)
            if self.is_left:
                await tx.publish(TOPIC, SyncDue(client_id=self.owner).model_dump(mode="json"))

    async def tell(self, state: str) -> None:
        """Write the progress where it is watched; a sync does not fail because nobody can watch it."""
        self.progress.state = state
        self.progress.finished = state in ("finished", "failed")
        self.progress.updatedAt = rules.iso(datetime.now(UTC)) or ""
        try:
            await self.outside.documents.put(
                _PROGRESS, str(self.owner), asdict(self.progress), lifetime=_PROGRESS_LASTS
            )
        except VendorError as error:
            self.outside.warn("progress_not_told", reason=str(error))

    def windows(self, *, full: bool) -> list[Window]:
        """What to read: the longest window for a full or first sync, else around the cursor, once a day further back.

        A long window that was left is gone on with, after the newest days: whatever stops it, new calls come.
        """
        row = self.account.row
        cursor: datetime | None = row["ctm_sync_cursor"]
        left = Window.resume(row["ctm_last_page_token"]) if row["ctm_last_page_token"] else None
        if left is not None and (left.full or not full):
            return [left] if cursor is None else [self._around(cursor, deep=False), left]
        if full or cursor is None:
            return [self.new_window(self.outside.full_days, full=True)]
        deep = row["deep_at"] is None or row["deep_at"] < datetime.now(UTC) - DEEP_EVERY
        return [self._around(cursor, deep=deep)]

    def _around(self, cursor: datetime, *, deep: bool) -> Window:
        days = self.outside.deep_days if deep else self.outside.overlap_days
        until = datetime.now(UTC).date() + timedelta(days=1)
        return Window(min(cursor.date(), until) - timedelta(days=days), until, deep=deep)

    def new_window(self, days: int, *, full: bool) -> Window:
        today = datetime.now(UTC).date()
        return Window(today - timedelta(days=days), today + timedelta(days=1), full=full, deep=full)

    async def read(self, window: Window, *, until: float) -> bool:
        """Store page after page; False when the time was over first, and the rest is left for the next run."""
        number, newest = window.page, window.newest
        while number <= MAX_PAGES:
            read_at, calls, is_last = await self.page(number, window)
            newest = newest or max((call.started_at for call in calls if call.started_at), default=None)
            late = not is_last and window.deep and time.monotonic() > until
            next_page = replace(window, page=number + 1, newest=newest)
            async with self.outside.transaction() as tx:
                await self._fence(tx)
                await self._store(tx, calls, read_at)
                if window.deep:
                    await store.keep_page_token(tx, self.owner, None if is_last else next_page.token())
                if is_last:
                    await ratings.resend_forgotten(tx, self.owner)
                    await store.advance_cursor(tx, self.owner, newest, deep=window.deep)
            self.is_left = late
            await self.tell("reading")
            if is_last or late:
                return is_last
            number += 1
        raise TryLater("ctm", reason=f"more than {MAX_PAGES} pages")

    async def replace(self, window: Window, *, until: float) -> None:
        pages: list[tuple[datetime, Sequence[CallRecord]]] = []
        for number in range(1, MAX_PAGES + 1):
            read_at, calls, is_last = await self.page(number, window)
            pages.append((read_at, calls))
            await self.tell("reading")
            if is_last:
                break
            if time.monotonic() > until:
                raise TryLater("ctm", reason="the calls are too many to be reloaded in one go")
            await self._fence(self.outside.db)
        times = [call.started_at for _, calls in pages for call in calls if call.started_at]
        async with self.outside.transaction() as tx:
            await self._fence(tx)
            for read_at, calls in pages:
                await self._store(tx, calls, read_at)
            kept = [call.id for _, calls in pages for call in calls]
            first = datetime.combine(window.since, datetime.min.time(), UTC) + timedelta(days=1)
            await store.delete_missing(tx, self.owner, kept, first)
            await store.refresh_callers(tx, self.owner, None)
            await store.forget_cursor(tx, self.owner)
            await store.advance_cursor(tx, self.owner, max(times, default=None), deep=True)

    async def page(self, number: int, window: Window) -> tuple[datetime, Sequence[CallRecord], bool]:
        """One page, when it was asked for, and whether it is the last; short pauses are waited out."""
        for attempt in range(1, _TRIES + 1):
            read_at = await store.now(self.outside.db)
            try:
                await self.outside.pauses.require_none(self.account.number)
                page = await self._ask(number, window)
            except Pausing as pausing:
                if attempt == _TRIES or pausing.pause_s > _WAIT_AT_MOST_S:
                    raise
                await asyncio.sleep(pausing.pause_s)
            else:
                self.progress.pages += 1
                self.progress.calls += len(page.calls)
                return read_at, _newest_of_each(page.calls), page.is_last
        raise AssertionError("the last attempt returns or raises")

    async def _ask(self, number: int, window: Window) -> Page:
        try:
            return await self.account.ctm.page(number, window.since, window.until)
        except TryLater as error:
            self.progress.errors += 1
            raise await self.outside.pauses.begin(self.account.number, error) from error

    async def _fence(self, db: Executor) -> None:
        """Nothing is stored unless lease and account are still this run's; in a transaction, locks keep it so."""
        if not await store.keep_lease(db, self.owner, self.token, LEASE, self.account.number):
            raise SyncLost

    async def _store(self, tx: Transaction, calls: Sequence[CallRecord], read_at: datetime) -> None:
        known = await store.known(tx, self.owner, [call.id for call in calls])
        merged = [rules.merge(known.get(call.id), call, read_at) for call in calls]
        changed = [call for call in merged if call is not None]
        if not changed:
            return
        await store.store(tx, self.owner, changed)
        numbers = {call.from_number for call in changed}
        numbers |= {known[call.call_id].from_number for call in changed if not call.is_new}
        await store.refresh_callers(tx, self.owner, [number for number in numbers if number])
        self.progress.newCalls += sum(call.is_new for call in changed)
        self.progress.updatedCalls += sum(not call.is_new for call in changed)

    async def label(self, *, until: float) -> Labelled:
        row = self.account.row

        async def report(done: Labelled) -> None:
            await self._fence(self.outside.db)
            self.progress.classified = done.updated
            await self.tell("labelling")

        errors = self.progress.errors
        client = Client(self.owner, row["ai_prompt"], row["auto_star"])
        done = await labelling.label_waiting(self.outside, client, until=until, report=report)
        self.progress.queued, self.progress.errors = done.queued, errors + done.errors
        return done


def _newest_of_each(calls: Sequence[CallRecord]) -> list[CallRecord]:
    """The calls without repetitions: a call that arrives while a page is made may push another onto it twice."""
    return list({call.id: call for call in reversed(calls)}.values())
