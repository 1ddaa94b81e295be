"""Accepting submissions against two floors, and the time from a visitor's click to the finished work."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
from google.cloud.tasks_v2 import CloudTasksAsyncClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport
from grpc.aio import insecure_channel

from emulators.cloud import LocalCloud
from emulators.demo_data import CLIENTS, form_id
from shared.config import Settings
from tests.bench import load
from tests.bench.framework import serving
from tests.e2e.conftest import Visitor, run_cloud

FORMS = 400  # a form takes 600 submissions a minute: many forms, so that no limit is measured
AI_LATENCY_MS = 300
ANSWERS = {"name": "Robin Roe", "phone": "+15555550123", "message": "I would like to book an appointment."}


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with run_cloud(Path(folder), stand_ins=True, auto_events=()) as cloud:
            cloud.parts.named("vertex").configure({"latency_ms": AI_LATENCY_MS})  # type: ignore[union-attr]
            await _accepting(cloud)
            await _end_to_end(cloud)


async def _accepting(cloud: LocalCloud) -> None:
    database = await asyncpg.connect(cloud.database_url)
    await database.execute("create table bench_floor (id bigserial primary key, body text)")
    forms = await _make_forms(database)
    body = json.dumps({"payload": ANSWERS}).encode()
    env = {**cloud.environment(), "TRUSTED_PROXY_HOPS": "1"}

    def submit(number: int) -> bytes:
        ip = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        headers = {"Content-Type": "application/json", "X-Forwarded-For": ip}
        return load.request("POST", f"/embed/{forms[number % FORMS]}/submit", body=body, headers=headers)

    rates = {}
    for target, source in (("constant", "floor.py"), ("one_insert", "floor.py"), ("forms_submit", "main.py")):
        path = source if source == "main.py" else f"tests/bench/{source}"
        async with _queue_held(env["CLOUD_TASKS_EMULATOR_HOST"]):
            with serving(target, env, source=path) as (port, _):
                rates[target] = await load.run(port, submit)
    await database.execute("truncate form_submissions, outbox cascade")
    await database.close()

    print("Accepting a submission, one function's process, 32 visitors at once")
    names = {
        "constant": "the framework answering a constant",
        "one_insert": "the same and one INSERT",
        "forms_submit": "forms_submit (limits, checks, one transaction, a task)",
    }
    for target, rate in rates.items():
        share = f"{rate.of(rates['one_insert'])} of one INSERT"
        print(
            f"  {names[target]:<56} {rate.per_second:8.0f}/s  p50 {rate.p50_ms:6.1f} ms  p95 {rate.p95_ms:6.1f} ms"
            f"  {share}  {rate.statuses}"
        )


@asynccontextmanager
async def _queue_held(host: str) -> AsyncIterator[None]:
    """Tasks are taken but not delivered, and forgotten at the end: what is measured is accepting alone."""
    transport = CloudTasksGrpcAsyncIOTransport(channel=insecure_channel(host))
    client = CloudTasksAsyncClient(transport=transport)
    queue = client.queue_path(Settings().gcp_project_id, Settings().gcp_region, "forms")
    await client.pause_queue(name=queue)
    yield
    await client.purge_queue(name=queue)
    await client.resume_queue(name=queue)
    await transport.close()


async def _make_forms(database: asyncpg.Connection) -> list[UUID]:
    forms = [uuid4() for _ in range(FORMS)]
    await database.execute(
        """
        insert into forms (id, name, form_type, status, settings_json, client_id)
        select id, 'Bench', 'conversion', 'published', '{}', $2 from unnest($1::uuid[]) id
        """,
        forms,
        CLIENTS["roofing"].id,
    )
    await database.execute(
        """
        with version as (
            insert into form_versions (form_id, version_number, react_code, schema_json, published_at)
            select id, 1, '', (select schema_json from form_versions where form_id = $2), now()
            from unnest($1::uuid[]) id returning id, form_id
        )
        update forms set published_version_id = version.id from version where version.form_id = forms.id
        """,
        forms,
        form_id("contact"),
    )
    return forms


async def _end_to_end(cloud: LocalCloud) -> None:
    print(f"\nFrom the visitor's click to the finished work (classified with {AI_LATENCY_MS} ms of AI, CTM, two mails)")
    cold, *singles = [(await _run(cloud, 1))[0] for _ in range(21)]
    many = sorted(await _run(cloud, 200))
    print(f"  the first, which finds the functions cold    {cold:6.2f} s")
    for what, times in (("one submission, twenty times", sorted(singles)), ("200 at once", many)):
        p95 = times[int(len(times) * 0.95)]
        print(f"  {what:<44} p50 {statistics.median(times):6.2f} s  p95 {p95:6.2f} s")


async def _run(cloud: LocalCloud, count: int) -> list[float]:
    """Seconds from each submission's sending to its last step, by the database's clock."""
    sent: dict[UUID, float] = {}

    async def one(number: int) -> None:
        began = time.time()
        answer = await Visitor(cloud.http).submit("contact", ANSWERS)
        sent[UUID(answer.json()["submission_id"])] = began

    await asyncio.gather(*map(one, range(count)))
    database = await asyncpg.connect(cloud.database_url)
    try:
        while True:
            rows = await database.fetch(
                """
                select submission_id, extract(epoch from max(completed_at))::float8 as ended,
                       bool_and(status = 'completed') as done
                from form_submission_jobs where submission_id = any($1) group by 1
                """,
                list(sent),
            )
            if len(rows) == count and all(row["done"] for row in rows):
                return [row["ended"] - sent[row["submission_id"]] for row in rows]
            await asyncio.sleep(0.1)
    finally:
        await database.close()
