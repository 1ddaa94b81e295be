"""Reads the reviews of a client's locations from Google: page by page, each stored before the next is asked for.

Google lists what changed last first, so a sync reads until it meets what the last one has seen; once a day, and when
Google counts fewer reviews than we have, it reads all pages, which is how removed reviews are found. One run at a time
holds a location's lease, and stores nothing without it. A full read notes its next page, and goes on from there after a
kill. What was there before a location's first sync is history: rules and notices are for what comes after.
Source: seeds DATA_FLOWS §7, INTEGRATIONS §5; spec api-reviews §1.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from shared.areas.reviews import automation, locations, rules, settings_store, sync_store
from shared.areas.reviews.models import CatchUp, Evaluate, Google, Page, Review, SyncDue
from shared.areas.reviews.outside import Outside, ask
from shared.db.database import Executor, Record, Transaction
from shared.errors import Conflict, NotFound, Reconnect, Rejected, TryLater, VendorError

TOPIC = "reviews-sync-due"
LEASE = timedelta(seconds=90)  # longer than a page, or looking for one removed review after another, may take
FULL_EVERY = timedelta(days=1)
RECOUNT_EVERY = timedelta(hours=1)  # Google's count may stay wrong for a while
LAG = timedelta(hours=1)  # read again behind the cursor: equal and late times
MAX_PAGES = 1000  # of one location; more means that the tokens lead in a circle
_CHECKED_AT_ONCE = 20  # removed reviews looked up by one run; the rest by the next full one
_TRIES = 3
_WAIT_AT_MOST_S = 5.0


class SyncLost(TryLater):
    """This run took longer than its lease, and another one holds it now: nothing more of this one is stored."""

    def __init__(self) -> None:
        super().__init__("sync", reason="lease lost")


class SyncRunning(Conflict):
    """Another sync of this location is under way."""

    code = "SYNC_RUNNING"


@dataclass(slots=True)
class Synced:
    """What a run did. ``finished``: the location was read to its end; else the rest goes on by itself."""

    read: int = 0
    new: int = 0
    updated: int = 0
    removed: int = 0
    skipped: int = 0  # without stars, a name or a time
    finished: bool = False


@dataclass(slots=True)
class All:
    """What became of all locations of a client."""

    total: Synced = field(default_factory=Synced)
    errors: list[dict[str, str]] = field(default_factory=list)
    left: int = 0  # locations that go on by themselves
    reconnect: bool = False

    def add(self, one: Synced) -> None:
        self.total.read += one.read
        self.total.new += one.new
        self.total.updated += one.updated + one.removed
        self.left += not one.finished


async def fan_out(tx: Transaction) -> int:
    """One message for each location whose turn it is."""
    rows = await sync_store.take_due(tx, shortest_min=rules.SHORTEST_INTERVAL_MIN)
    facts = [
        SyncDue(client_id=row["client_id"], location_id=row["location_id"], full=row["unfinished"]) for row in rows
    ]
    if facts:
        await tx.publish_all(TOPIC, [fact.model_dump(mode="json") for fact in facts])
    return len(facts)


async def sync_client(outside: Outside, owner: UUID, *, full: bool, within_s: float) -> All:
    """Read every location of the client while a person waits. Conflict when there is no connection that works."""
    found = await locations.chosen(outside, owner)
    if not found:
        try:
            await locations.require_connection(outside, owner)
        except Conflict as error:
            await sync_store.failed(outside.db, owner, error.message)
            raise
    until, done = time.monotonic() + within_s, All()
    for location in found:
        if time.monotonic() > until:
            await send_on(outside, owner, location["id"], full=full)
            done.left += 1
            continue
        try:
            one = await sync_location(outside, owner, location, full=full, until=until)
            done.add(one)
            if not one.finished:
                await send_on(outside, owner, location["id"], full=True)
        except (VendorError, SyncRunning) as error:
            done.reconnect |= isinstance(error, Reconnect)
            done.errors.append({"location": location["resource_name"], "error": told(error)})
            if isinstance(error, TryLater):
                await send_on(outside, owner, location["id"], full=full)
    if done.reconnect and len(done.errors) == len(found):
        await sync_store.failed(outside.db, owner, done.errors[0]["error"])
        raise Conflict(done.errors[0]["error"], code="RECONNECT_REQUIRED", requiresReconnect=True)
    return done


async def send_on(outside: Outside, owner: UUID, location_id: UUID, *, full: bool) -> None:
    """Have a location read, or read on, without anybody waiting."""
    async with outside.transaction() as tx:
        due = SyncDue(client_id=owner, location_id=location_id, full=full)
        await tx.publish(TOPIC, due.model_dump(mode="json"))


async def sync_due(outside: Outside, due: SyncDue, *, within_s: float) -> Synced:
    """Read one location in the background. NotFound when it is no longer in use; what fails now is asked for again."""
    location = await locations.find(outside, due.client_id, due.location_id)
    if location is None:
        raise NotFound("This location is not in use.")
    try:
        done = await sync_location(outside, due.client_id, location, full=due.full, until=time.monotonic() + within_s)
    except TryLater:
        await sync_store.ask_again(outside.db, due.location_id)
        raise
    if not done.finished:
        await send_on(outside, due.client_id, due.location_id, full=True)
    return done


async def sync_location(outside: Outside, owner: UUID, location: Record, *, full: bool, until: float) -> Synced:
    """Read a location. Raises SyncRunning, and Google's error when it fails: what was stored stays."""
    run = _Run(outside, owner, location, uuid4())
    async with run.leased(full=full):
        await run.read(until)
    return run.done


def told(error: Exception) -> str:
    """An error as the dashboard shows it."""
    match error:
        case SyncRunning():
            return error.message
        case Reconnect(status=403):
            return "Google refuses access to this location. Is it verified, and is this account still its manager?"
        case Reconnect():
            return "Google asks for a new consent. Please reconnect the account."
        case Rejected(status=404):
            return "Google does not know this location. Please choose it again."
        case TryLater():
            return "Google cannot be read right now; it will be tried again by itself."
    return "Google does not accept this request."


@dataclass(slots=True)
class _Run:
    """One run of one location, under its lease."""

    outside: Outside
    owner: UUID
    location: Record
    lease: UUID
    done: Synced = field(default_factory=Synced)
    parent: str = ""
    synced_at: datetime | None = None
    cursor_at: datetime | None = None
    full_since: datetime | None = None  # all pages are being read, since then
    token: str = ""
    recounts: bool = True  # whether a full read because of Google's count makes sense

    @property
    def id(self) -> UUID:
        found: UUID = self.location["id"]
        return found

    @asynccontextmanager
    async def leased(self, *, full: bool) -> AsyncIterator[None]:
        state = await sync_store.take_lease(self.outside.db, self.owner, self.id, self.lease, LEASE)
        if state is None:
            raise SyncRunning("A sync of this location is already running.")
        failure: str | None = "The sync was cut short."
        try:
            await self._begin(state, full=full)
            yield
            failure = None
        except VendorError as error:
            failure = told(error)
            raise
        finally:
            await asyncio.shield(sync_store.end_lease(self.outside.db, self.id, self.lease, failure))

    async def _begin(self, state: Record, *, full: bool) -> None:
        self.parent = await locations.parent(self.outside, self.owner, self.location)
        self.synced_at, self.cursor_at = state["synced_at"], state["cursor_at"]
        late = state["full_at"] is None or state["taken_at"] - state["full_at"] > FULL_EVERY
        self.recounts = state["full_at"] is None or state["taken_at"] - state["full_at"] > RECOUNT_EVERY
        if state["full_started_at"] is not None and state["full_page_token"]:
            self.full_since, self.token = state["full_started_at"], state["full_page_token"]
        elif full or late or self.synced_at is None:
            self.full_since = await sync_store.begin_full(self.outside.db, self.id)
            await sync_store.move(self.outside.db, self.owner, self.parent)

    async def read(self, until: float) -> None:
        """Store page after page, until the end, what is known, or the time is over."""
        newest: datetime | None = None
        for _ in range(MAX_PAGES):
            read_at, page = await self._page()
            newest = max([one.updated_at for one in page.reviews] + ([newest] if newest else []), default=None)
            is_last = not page.next_token or self._meets_known(page)
            async with self.outside.transaction() as tx:
                await self._fence(tx)
                await self._store(tx, page.reviews, read_at)
                if self.full_since is not None and page.next_token:
                    await sync_store.keep_page(tx, self.id, page.next_token)
            self.done.skipped += page.unreadable
            if page.next_token and page.next_token == self.token:
                raise TryLater("google business", reason="its pages lead in a circle")
            self.token = page.next_token
            if is_last and self.full_since is None and await self._misses(page.total):
                self.full_since, self.token = await sync_store.begin_full(self.outside.db, self.id), ""
                continue
            if is_last:
                await self._finish(newest)
                return
            if time.monotonic() > until:
                if self.full_since is None:  # what is known may be far: from here on it is a full read
                    await sync_store.begin_full(self.outside.db, self.id)
                return
        raise TryLater("google business", reason=f"more than {MAX_PAGES} pages")

    def _meets_known(self, page: Page) -> bool:
        if self.full_since is not None or self.cursor_at is None or not page.reviews:
            return False
        return min(one.updated_at for one in page.reviews) < self.cursor_at - LAG

    async def _misses(self, total: int) -> bool:
        """Whether Google counts fewer reviews than we show."""
        return self.recounts and total < await sync_store.live_count(self.outside.db, self.owner, self.id)

    async def _page(self) -> tuple[datetime, Page]:
        """The next page, and when it was asked for; short pauses are waited out."""
        for attempt in range(1, _TRIES + 1):
            read_at = await sync_store.now(self.outside.db)
            try:
                page = await ask(
                    self.outside,
                    self.owner,
                    self.location["connection_id"],
                    lambda google: google.reviews(self.parent, self.token),
                )
                return read_at, page
            except TryLater as error:
                pause = error.retry_after_s or 1.0
                if attempt == _TRIES or pause > _WAIT_AT_MOST_S:
                    raise
                await asyncio.sleep(pause)
            except Rejected as error:
                if error.status != 400 or not self.token:
                    raise
                # a page token does not live for ever
                self.full_since, self.token = await sync_store.begin_full(self.outside.db, self.id), ""
        raise TryLater("google business", reason="its page tokens do not hold")

    async def _fence(self, db: Executor) -> None:
        """Nothing is stored unless the lease is still this run's; in a transaction the lock keeps it so to its end."""
        if not await sync_store.keep_lease(db, self.id, self.lease, LEASE):
            raise SyncLost

    async def _store(self, tx: Transaction, reviews: Sequence[Review], read_at: datetime) -> None:
        rated = [one for one in {one.name: one for one in reviews}.values() if 1 <= one.rating <= 5]
        self.done.skipped += len(reviews) - len(rated)
        self.done.read += len(rated)
        if not rated:
            return
        known = await settings_store.attention(tx, self.owner)
        rows = [self._row(one, read_at, known) for one in rated]
        for row in await sync_store.store(tx, self.owner, self.id, read_at, rows):
            self.done.new += row["is_new"]
            self.done.updated += row["changed"]
            if row["fell_from"] is not None:
                await automation.tell_fall(tx, self.outside, self.owner, row["id"], row["fell_from"])
            if row["waits"] or row["edited"]:
                work = Evaluate(client_id=self.owner, review_id=row["id"], version=row["version"])
                await tx.enqueue("reviews_evaluate", work.model_dump(mode="json"))

    def _row(self, one: Review, read_at: datetime, known: Record) -> dict[str, Any]:
        """A review as it is stored at its first arrival, or when it has lost stars since: with what draws attention."""
        return {
            "name": one.name,
            "rating": one.rating,
            "text": one.text,
            "reviewer": one.reviewer,
            "photo": one.photo_url,
            "created": one.created_at.isoformat(),
            "updated": one.updated_at.isoformat(),
            "reply": one.reply,
            "replied": one.replied_at.isoformat() if one.replied_at else None,
            "raw": dict(one.raw),
            "priority": rules.priority_of(one.rating, answered=one.reply is not None),
            "flag": rules.flag_reason(one.rating, one.text, known["threshold"], known["keywords"]),
            "news": rules.is_news(one.created_at, synced_at=self.synced_at, now=read_at),
        }

    async def _finish(self, newest: datetime | None) -> None:
        gone, there = await self._gone() if self.full_since is not None else ([], [])
        async with self.outside.transaction() as tx:
            await self._fence(tx)
            for review_id in gone:
                await sync_store.remove(tx, self.owner, review_id)
            await sync_store.saw(tx, self.owner, there)
            await sync_store.finished(tx, self.id, newest, full=self.full_since is not None)
            await sync_store.sum_up(tx, self.owner)
            if await sync_store.begin_reading(tx, self.owner):
                await tx.enqueue("reviews_catch_up", CatchUp(client_id=self.owner).model_dump(mode="json"))
        self.done.removed += len(gone)
        self.done.finished = True

    async def _gone(self) -> tuple[list[UUID], list[UUID]]:
        """Of the reviews that no page has shown, those that Google does not know when asked for them, and those it
        does: one that is edited while pages are read moves to a page that was read before."""
        assert self.full_since is not None, "only a full read has seen everything"
        missing = await sync_store.unseen(self.outside.db, self.owner, self.id, self.full_since, _CHECKED_AT_ONCE)
        gone: list[UUID] = []
        there: list[UUID] = []
        for row in missing:
            name: str = row["name"]
            if not name.startswith(f"{self.parent}/"):  # it is here twice, under the name of another account
                gone.append(row["id"])
                continue
            await self._fence(self.outside.db)

            async def look(google: Google, name: str = name) -> Review | None:
                return await google.review(name)

            found = await ask(self.outside, self.owner, self.location["connection_id"], look)
            (gone if found is None else there).append(row["id"])
        return gone, there
