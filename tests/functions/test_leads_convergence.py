"""Whatever happens while syncs run, are killed and repeat: after the dust, the database equals CTM."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from emulators.faults import Fault
from shared.areas import pauses
from shared.areas.leads import store, sync
from shared.areas.leads.classification import STARS
from shared.areas.leads.sync import Budget, Synced, SyncRunning
from shared.db.database import Executor
from shared.errors import TryLater, VendorError
from shared.integrations.ctm import client as ctm_client
from shared.runtime import outbox
from tests.functions.conftest import World
from tests.functions.leads import Client, a_client, outside_of, pushes

STEPS = 60
DAYS = 50  # how old calls may be: beyond the usual window, within the daily one
WORDS = ("I would like to book.", "How much is it?", "Wrong number, sorry.", "Is this the right street?")


class Schedule:
    """One random life of a client: every step is drawn from the seed."""

    def __init__(self, world: World, client: Client, seed: int) -> None:
        self.world, self.client, self.random = world, client, random.Random(seed)
        self.syncs: list[asyncio.Task[Any]] = []
        self.last_here: dict[str, int] = {}  # what a person gave here, as long as nobody rated it in CTM since
        self.chosen: dict[str, str] = {}  # the category that a person chose last

    async def run(self) -> None:
        steps = {
            self.add_calls: 2, self.add_transcript: 1, self.choose_category: 1, self.rate_in_ctm: 4, self.rate_here: 5,
            self.start_sync: 5, self.look_back: 1, self.reload: 1, self.kill_sync: 1, self.post_ratings: 3,
            self.kill_post: 1, self.classify: 1, self.break_ctm: 2, self.lose_the_queue: 1, self.wait: 4,
        }  # fmt: skip
        for number in range(30):  # what only the first sync reads, however often it is stopped
            self.client.add_call(ago=timedelta(days=DAYS + 20 + 9 * number), duration=0)
        await self.add_calls()
        for _ in range(STEPS):
            [step] = self.random.choices(list(steps), list(steps.values()))
            await step()

    async def add_calls(self) -> None:
        for _ in range(self.random.randrange(1, 12)):
            self.client.add_call(
                ago=timedelta(minutes=self.random.randrange(self.random.choice((2, DAYS)) * 24 * 60)),
                caller_number=f"+1555555{self.random.randrange(40):04d}",
                duration=self.random.choice((0, 65)),
                score=self.random.choice((0, 0, 0, 3, 5)),
                **({"transcript": self.random.choice(WORDS)} if self.random.random() < 0.5 else {}),
            )

    async def rate_in_ctm(self) -> None:
        call = self.a_call()
        call["score"], call["sale"] = self.random.randrange(6), None
        self.last_here.pop(str(call["id"]), None)

    async def add_transcript(self) -> None:
        self.a_call()["transcript"] = self.random.choice(WORDS)

    def a_call(self) -> dict[str, Any]:
        """Mostly one of three, so that both sides change the same."""
        young = (datetime.now(UTC) - timedelta(days=DAYS)).timestamp()
        calls = [call for call in self.client.account.calls if call["unix_time"] >= young]
        calls.sort(key=lambda call: int(call["id"]))
        return self.random.choice(calls[:3] if self.random.random() < 0.8 else calls)

    async def choose_category(self) -> None:
        call_id, category = str(self.a_call()["id"]), self.random.choice(sorted(STARS))
        answer = await self.client.call("PUT", f"/calls/{call_id}/category", json={"category": category})
        if answer.status_code == 200:  # 404: it is not stored yet
            self.chosen[call_id] = category

    async def rate_here(self) -> None:
        for _ in range(self.random.randrange(1, 4)):
            call_id, score = str(self.a_call()["id"]), self.random.randrange(6)
            method, body = ("POST", {"score": score}) if score else ("DELETE", {})
            answer = await self.client.call(method, f"/calls/{call_id}/score", json=body)
            if answer.status_code == 200:
                self.last_here[call_id] = score

    async def start_sync(self) -> None:
        budget = Budget(pages_s=self.random.choice((0, 5)), labels_s=self.random.choice((0, 0.2)))
        work = sync.sync(outside_of(self.world), self.client.id, full=self.random.random() < 0.3, budget=budget)
        self.syncs.append(asyncio.create_task(work))

    async def look_back(self) -> None:
        """The day is over: the next sync reads the longer window."""
        await self.world.db.execute("update lead_syncs set deep_at = null where owner_user_id = $1", self.client.id)

    async def reload(self) -> None:
        if self.random.random() < 0.5:
            work = sync.reload(outside_of(self.world), self.client.id, budget=Budget(pages_s=9, labels_s=0))
            self.syncs.append(asyncio.create_task(work))

    async def kill_sync(self) -> None:
        """As an instance dies: the work stops anywhere, and sometimes its lease stays behind for a while."""
        running = [task for task in self.syncs if not task.done()]
        if running:
            self.random.choice(running).cancel()
        if self.random.random() < 0.3:
            await self.world.db.execute(
                """update lead_syncs set lease_token = $2, lease_until = clock_timestamp() + interval '50 ms'
                   where owner_user_id = $1""",
                self.client.id, uuid4(),
            )  # fmt: skip

    async def wait(self) -> None:
        await asyncio.sleep(self.random.random() * 0.05)

    async def kill_post(self) -> None:
        """An instance dies while it posts: its work comes again."""
        if due := self.due():
            task = self.random.choice(due)
            post = asyncio.create_task(self.world.deliver_task(task["function"], task["payload"]))
            await asyncio.sleep(self.random.random() * 0.02)
            post.cancel()
            with suppress(asyncio.CancelledError):
                await post

    async def lose_the_queue(self) -> None:
        """Cloud Tasks and Pub/Sub are out for a while: what was accepted stays in the outbox."""
        self.world.sent.down = not self.world.sent.down and self.random.random() < 0.5
        outbox._failed_at.clear()  # it would spare the queue for longer than this schedule lasts

    def due(self) -> list[dict[str, Any]]:
        return [task for task in pushes(self.world) if task["payload"]["owner_id"] == str(self.client.id)]

    async def post_ratings(self) -> None:
        """Some of the work in any order, some of it twice, some left for later."""
        due = self.due()
        chosen = self.random.sample(due, k=self.random.randrange(len(due) + 1))
        for task in chosen:
            if self.random.random() < 0.8:
                self.world.sent.tasks.remove(task)
        answers = [self.world.deliver_task(task["function"], task["payload"]) for task in chosen]
        for task, answer in zip(chosen, await asyncio.gather(*answers), strict=True):
            assert answer.status_code in (204, 503), answer.text
            if answer.status_code == 503 and task not in self.world.sent.tasks:
                self.world.sent.tasks.append(task)  # the queue tries again

    async def classify(self) -> None:
        mine = [m for m in self.world.sent.messages if m["payload"].get("owner_id") == str(self.client.id)]
        for message in self.random.sample(mine, k=min(3, len(mine))):
            await self.world.deliver_event("leads_classify", message["payload"])

    async def break_ctm(self) -> None:
        """A hiccup, an outage that lasts until the next time, or slowness."""
        if "ctm" in self.world.faults.as_json():
            self.world.faults.clear("ctm")
            return
        faults = (
            Fault(status=500), Fault(status=500, times=2), Fault(status=200, times=1), Fault(status=429, times=1),
            Fault(latency_ms=30), Fault(latency_ms=30), Fault(drop=True, times=1),
        )  # fmt: skip
        self.world.faults.put("ctm", self.random.choice(faults))

    async def settle(self) -> None:
        """The dust: what runs ends, what failed works, everything that waits is delivered."""
        self.world.faults.clear("ctm")
        self.world.sent.down = False
        for outcome in await asyncio.gather(*self.syncs, return_exceptions=True):
            if isinstance(outcome, BaseException):
                assert isinstance(outcome, SyncRunning | VendorError | asyncio.CancelledError), repr(outcome)
        for _ in range(3):
            await self.pass_time()
            while not (await self.sync_all()).finished:
                pass
            while due := self.due():
                for task in due:
                    self.world.sent.tasks.remove(task)
                    answer = await self.world.deliver_task(task["function"], task["payload"])
                    assert answer.status_code == 204, answer.text

    async def pass_time(self) -> None:
        """Leases and pauses end, the sweep sends what the queue did not take, a new day begins."""
        mine = "where owner_user_id = $1"
        await self.world.db.execute(
            f"update call_logs set rating_push_until = null, classify_until = null, classify_sent_at = null {mine}",
            self.client.id,
        )
        await self.world.db.execute(f"update lead_syncs set lease_until = null, deep_at = null {mine}", self.client.id)
        await self.world.services.firestore.delete("vendor_pauses", f"ctm:{self.client.account.number}")
        await self.world.db.execute("update outbox set created_at = now() - interval '1 h' where dispatched_at is null")
        assert (await self.world.run_schedule("jobs_sweep_outbox")).status_code == 204

    async def sync_all(self) -> Synced:
        return await sync.sync(outside_of(self.world), self.client.id, full=False, budget=Budget(pages_s=9, labels_s=9))


def _lose_some_answers(monkeypatch: pytest.MonkeyPatch, chance: random.Random) -> None:
    """CTM takes some ratings and its answer gets lost; a dying instance leaves some leases behind."""
    rate, end_posting = ctm_client.CtmClient.rate, store.end_posting

    async def rate_unheard(ctm: ctm_client.CtmClient, call_id: str, **given: Any) -> None:
        await rate(ctm, call_id, **given)
        if chance.random() < 0.2:
            raise TryLater("ctm", reason="the answer was lost")

    async def end_sometimes(db: Executor, owner: UUID, call_id: str) -> None:
        if chance.random() < 0.7:
            await end_posting(db, owner, call_id)

    monkeypatch.setattr(ctm_client.CtmClient, "rate", rate_unheard)
    monkeypatch.setattr(store, "end_posting", end_sometimes)


@pytest.mark.parametrize("seed", range(12))
async def test_after_the_dust_the_database_equals_ctm(world: World, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No call is lost or doubled, no rating wiped, and what a person gave here last is what both sides have."""
    monkeypatch.setattr(ctm_client, "PAGE_SIZE", 7)
    monkeypatch.setattr(pauses, "USUAL_S", 0.01)
    client = await a_client(world, auto_star=seed % 2 == 1)
    schedule = Schedule(world, client, seed)

    with monkeypatch.context() as unreliable:
        _lose_some_answers(unreliable, schedule.random)
        await schedule.run()
    await schedule.settle()

    rows = await world.db.fetch(
        """select call_id, coalesce(score, 0) as score, rating_pending, started_at, text_version, classified_version,
                  nullif(meta ->> 'transcript', '') as transcript, category, category_by
           from call_logs where owner_user_id = $1""",
        client.id,
    )
    stored = {row["call_id"]: row for row in rows}
    told = {str(call["id"]): call for call in client.account.calls}
    assert len(rows) == len(stored) and stored.keys() == told.keys()
    for call_id, call in told.items():
        row = stored[call_id]
        held = (call["sale"] or {}).get("score") or call.get("score") or 0
        if call["sale"] and "score" in call["sale"]:
            held = call["sale"]["score"]
        assert (row["score"], row["rating_pending"]) == (held, False), (call_id, call)
        assert row["transcript"] == call.get("transcript")
        assert row["started_at"] == datetime.fromtimestamp(call["unix_time"], UTC)
        assert row["text_version"] == row["classified_version"]
        if row["category_by"] == "user":
            assert row["category"] == schedule.chosen[call_id]
        if row["category_by"] == "rating":
            assert STARS[row["category"]] == row["score"] > 0
    for call_id, score in schedule.last_here.items():
        assert stored[call_id]["score"] == score
    assert await world.db.fetchval("select calls from lead_totals where owner_user_id = $1", client.id) == len(told)
