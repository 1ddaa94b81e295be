"""Nothing is lost and nothing happens twice when machines die and messages come again."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from emulators.cloud import LocalCloud
from emulators.demo_data import CLIENTS, FORMS
from tests.e2e.conftest import Visitor, run_cloud

SUBMISSIONS = 200
KILLS = 6
PATIENCE_S = 240


@pytest.mark.e2e
@pytest.mark.timeout(400)
async def test_200_submissions_survive_kills_and_double_delivery(tmp_path: Path) -> None:
    """While the functions' process is killed at random points and every task comes twice, each submission is
    classified, recorded in CTM and mailed to each recipient exactly once, and none is stuck after the sweep."""
    async with run_cloud(tmp_path, stand_ins=True, auto_events=()) as cloud:
        cloud.parts.named("cloud_tasks").deliver_twice(SUBMISSIONS * 2)  # type: ignore[union-attr]
        cloud.parts.named("vertex").configure({"latency_ms": 100})  # type: ignore[union-attr]
        killing = asyncio.create_task(_kill_now_and_then(cloud))
        accepted = await asyncio.gather(*(_persist(cloud, number) for number in range(SUBMISSIONS)))
        await killing

        database = await asyncpg.connect(cloud.database_url)
        try:
            await _until_processed(cloud, database)
            await _check(cloud, database, accepted)
        finally:
            await database.close()


async def _kill_now_and_then(cloud: LocalCloud) -> None:
    moments = random.Random(7)
    for _ in range(KILLS):
        await asyncio.sleep(moments.uniform(0.5, 2.0))
        await cloud.kill_functions()
        await cloud.functions_ready()


async def _persist(cloud: LocalCloud, number: int) -> UUID:
    """Submit until it is accepted, as a visitor's page does: with one key, whatever happens to the answers."""
    await asyncio.sleep(number * 0.04)
    visitor, key = Visitor(cloud.http), uuid4().hex
    answers = {"name": f"Visitor {number}", "phone": f"+1555556{number:04d}", "message": "Can I book for tomorrow?"}
    while True:
        try:
            answer = await visitor.submit("contact", answers, key=key)
        except httpx.TransportError:
            await asyncio.sleep(0.2)
            continue
        if answer.status_code == 201:
            return UUID(answer.json()["submission_id"])
        assert answer.status_code in (429, 500, 502, 503, 504), answer.text
        # Attempts that died half way count against the form's limit too.
        await asyncio.sleep(answer.json()["retryAfter"] if answer.status_code == 429 else 1)


async def _until_processed(cloud: LocalCloud, database: asyncpg.Connection) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        swept = await cloud.control.post("/schedules/jobs_sweep_outbox/run")
        assert swept.is_success, swept.text
        left = await database.fetchval("select count(*) from form_submission_jobs where status <> 'completed'")
        open_work = await database.fetchval("select count(*) from outbox where done_at is null and kind = 'task'")
        if not left and not open_work:
            return
        await asyncio.sleep(1)
    rows = await database.fetch(
        "select job_type, status, attempts, reason, count(*) from form_submission_jobs group by 1, 2, 3, 4"
    )
    raise AssertionError(f"still not processed: {[tuple(row) for row in rows]}")


async def _check(cloud: LocalCloud, database: asyncpg.Connection, accepted: list[UUID]) -> None:
    assert len(set(accepted)) == SUBMISSIONS
    stored = {row["id"] for row in await database.fetch("select id from form_submissions")}
    assert stored == set(accepted)
    classified = await database.fetchval(
        "select count(*) from form_submissions where classification = 'very_good' and ctm_sent and email_sent"
    )
    assert classified == SUBMISSIONS

    wanted = {(str(one), to) for one in accepted for to in FORMS["contact"]["recipients"]}
    assert _mails(await _everything(cloud, "/mail", "mails")) == Counter(wanted)
    account = CLIENTS["roofing"].ctm_account
    records = await _everything(cloud, f"/ctm/{account}/calls", "calls")
    assert Counter(one["form"]["custom"]["submission_id"] for one in records) == Counter(map(str, accepted))
    assert not await database.fetchval("select count(*) from outbox where dead_at is not null")


async def _everything(cloud: LocalCloud, path: str, name: str) -> list[dict[str, Any]]:
    answer = await cloud.control.get(path)
    found: list[dict[str, Any]] = answer.json()[name]
    return found


def _mails(mails: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """(submission, recipient) → how many mails."""
    counted: Counter[tuple[str, str]] = Counter()
    for mail in mails:
        named = re.search(r"Submission: ([0-9a-f-]{36})", mail["text"])
        assert named, mail["text"]
        counted.update((named[1], address) for address in mail["to"])
    return counted
