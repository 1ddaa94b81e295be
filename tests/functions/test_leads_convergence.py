"""Whatever happens while syncs run, are killed and repeat: after the dust, the database equals CTM."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from emulators.faults import Fault
from shared.areas.leads import outside as leads_outside
from shared.areas.leads import sync
from shared.areas.leads.sync import Budget, SyncRunning
from shared.errors import VendorError
from shared.integrations.ctm import client as ctm_client
from tests.functions.conftest import World
from tests.functions.leads import Client, a_client, outside_of

STEPS = 40
WORDS = ("I would like to book.", "How much is it?", "Wrong number, sorry.", "Is this the right street?")


class Schedule:
    """One random life of a client: every step is drawn from the seed."""

    def __init__(self, world: World, client: Client, seed: int) -> None:
        self.world, self.client, self.random = world, client, random.Random(seed)
        self.syncs: list[asyncio.Task[Any]] = []
        self.last_here: dict[str, int] = {}  # what a person gave here, as long as nobody rated it in CTM since

    async def run(self) -> None:
        steps = (
            self.add_calls, self.add_calls, self.rate_in_ctm, self.rate_in_ctm, self.add_transcript, self.rate_here,
            self.rate_here, self.start_sync, self.start_sync, self.start_sync, self.kill_sync, self.wait, self.wait,
            self.post_ratings, self.classify, self.break_ctm,
        )  # fmt: skip
        for _ in range(STEPS):
            await self.random.choice(steps)()

    async def add_calls(self) -> None:
        for _ in range(self.random.randrange(1, 12)):
            self.client.add_call(
                ago=timedelta(minutes=self.random.randrange(6 * 24 * 60)),
                caller_number=f"+1555555{self.random.randrange(40):04d}",
                duration=self.random.choice((0, 65)),
                score=self.random.choice((0, 0, 0, 3, 5)),
                **({"transcript": self.random.choice(WORDS)} if self.random.random() < 0.5 else {}),
            )

    async def rate_in_ctm(self) -> None:
        if calls := self.client.account.calls:
            call = self.random.choice(calls)
            call["score"], call["sale"] = self.random.randrange(6), None
            self.last_here.pop(str(call["id"]), None)

    async def add_transcript(self) -> None:
        if calls := self.client.account.calls:
            self.random.choice(calls).setdefault("transcript", self.random.choice(WORDS))

    async def rate_here(self) -> None:
        rows = await self.world.db.fetch("select call_id from call_logs where owner_user_id = $1", self.client.id)
        if rows:
            call_id, score = self.random.choice(rows)["call_id"], self.random.randrange(6)
            method, body = ("POST", {"score": score}) if score else ("DELETE", {})
            answer = await self.client.call(method, f"/calls/{call_id}/score", json=body)
            assert answer.status_code == 200
            self.last_here[call_id] = score

    async def start_sync(self) -> None:
        budget = Budget(pages_s=self.random.choice((0, 5)), labels_s=self.random.choice((0, 0.2)))
        work = sync.sync(outside_of(self.world), self.client.id, full=self.random.random() < 0.3, budget=budget)
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

    async def post_ratings(self) -> None:
        """Some of the work in any order, some of it twice, some left for later."""
        due = [task for task in self.world.sent.tasks if task["payload"]["owner_id"] == str(self.client.id)]
        chosen = self.random.sample(due, k=self.random.randrange(len(due) + 1))
        for task in chosen:
            if self.random.random() < 0.8:
                self.world.sent.tasks.remove(task)
        answers = [self.world.deliver_task("leads_push_rating", task["payload"]) for task in chosen]
        for task, answer in zip(chosen, await asyncio.gather(*answers), strict=True):
            assert answer.status_code in (204, 503), answer.text
            if answer.status_code == 503 and task not in self.world.sent.tasks:
                self.world.sent.tasks.append(task)  # the queue tries again

    async def classify(self) -> None:
        mine = [m for m in self.world.sent.messages if m["payload"].get("owner_id") == str(self.client.id)]
        for message in self.random.sample(mine, k=min(3, len(mine))):
            await self.world.deliver_event("leads_classify", message["payload"])

    async def break_ctm(self) -> None:
        fault = self.random.choice((Fault(status=500, times=1), Fault(latency_ms=20, times=3)))
        self.world.faults.put("ctm", fault)

    async def settle(self) -> None:
        """The dust: what runs ends, what failed works, everything that waits is delivered."""
        self.world.faults.clear("ctm")
        for outcome in await asyncio.gather(*self.syncs, return_exceptions=True):
            if isinstance(outcome, BaseException):
                assert isinstance(outcome, SyncRunning | VendorError | asyncio.CancelledError), repr(outcome)
        await self.world.db.execute(
            """update call_logs set rating_push_until = null, classify_until = null, classify_sent_at = null
               where owner_user_id = $1""",
            self.client.id,
        )
        await self.world.db.execute("update lead_syncs set lease_until = null where owner_user_id = $1", self.client.id)
        for _ in range(2):
            with suppress(VendorError):
                await sync.sync(
                    outside_of(self.world), self.client.id, full=False, budget=Budget(pages_s=9, labels_s=9)
                )
            while due := [t for t in self.world.sent.tasks if t["payload"]["owner_id"] == str(self.client.id)]:
                for task in due:
                    self.world.sent.tasks.remove(task)
                    answer = await self.world.deliver_task("leads_push_rating", task["payload"])
                    assert answer.status_code == 204, answer.text


@pytest.mark.parametrize("seed", range(8))
async def test_after_the_dust_the_database_equals_ctm(world: World, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No call is lost or doubled, no rating wiped, and what a person gave here last is what both sides have."""
    monkeypatch.setattr(ctm_client, "PAGE_SIZE", 7)
    monkeypatch.setattr(leads_outside, "DEFAULT_PAUSE_S", 0.01)
    client = await a_client(world, auto_star=seed % 2 == 1)
    schedule = Schedule(world, client, seed)

    await schedule.run()
    await schedule.settle()

    rows = await world.db.fetch(
        """select call_id, coalesce(score, 0) as score, rating_pending, started_at, text_version, classified_version,
                  nullif(meta ->> 'transcript', '') as transcript
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
    for call_id, score in schedule.last_here.items():
        assert stored[call_id]["score"] == score
    assert await world.db.fetchval("select calls from lead_totals where owner_user_id = $1", client.id) == len(told)
