"""Calls of a client come from CTM: read, classified, starred and rated in both directions, through an outage of CTM."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import jwt

from emulators.acts import Stage, expect, until
from emulators.cloud import LocalCloud
from emulators.demo_data import CLIENTS, DemoClient

CLIENT = CLIENTS["roofing"]
COUNT = 400  # calls of each of three clients, four pages of CTM's list
_SAYS = (
    "Hello, I would like to book an inspection for tomorrow.",
    "How much does a new roof cost? I am interested.",
    "Please call me back about my question.",
    "We sell SEO services and can put you on page one of every search.",
    "I saw the job you offer and want to apply for it.",
    "Sorry, wrong number.",
)


class Caller:
    """A number that calls a client: telephone calls as CTM keeps them."""

    def __init__(self, cloud: LocalCloud, client: DemoClient = CLIENT) -> None:
        self._cloud, self._client = cloud, client
        self._first_id = time.time_ns() // 1000  # no earlier demo on this data had these ids

    async def call(self, number: int, **given: Any) -> dict[str, Any]:
        body = {
            "id": self._first_id + number,
            "name": f"Caller {number}",
            "caller_number": f"+1555556{number:04d}",
            "duration": 60 + number,
            "unix_time": int(time.time()) - 300 * number,
            **given,
        }
        answer = await self._cloud.control.post(f"/ctm/{self._client.ctm_account}/calls", json=body)
        expect(answer.is_success, f"a call could not be added: {answer.text}")
        told: dict[str, Any] = answer.json()
        call: dict[str, Any] = told.get("call", told)
        return call

    async def known_to_ctm(self) -> dict[str, dict[str, Any]]:
        """CTM's calls by id."""
        answer = await self._cloud.control.get(f"/ctm/{self._client.ctm_account}/calls")
        return {str(call["id"]): call for call in answer.json()["calls"]}


class Dashboard:
    """The client's dashboard: signed in, asking for its calls."""

    def __init__(self, cloud: LocalCloud, token: str) -> None:
        self._http, self._headers = cloud.http, {"Authorization": f"Bearer {token}"}

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self._http.request(method, f"/api/hub/calls{path}", headers=self._headers, timeout=120, **options)

    async def calls(self, query: str = "?limit=100") -> list[dict[str, Any]]:
        answer = await self.ask("GET", query)
        expect(answer.status_code == 200, f"the list answered {answer.status_code}: {answer.text[:200]}")
        found: list[dict[str, Any]] = answer.json()["calls"]
        return found

    async def call(self, call_id: str) -> dict[str, Any]:
        answer = await self.ask("GET", f"/{call_id}/detail")
        expect(answer.status_code == 200, f"the call answered {answer.status_code}")
        lead: dict[str, Any] = answer.json()["lead"]
        return lead


async def act(cloud: LocalCloud, stage: Stage) -> None:
    """1,200 calls of three clients, their labels and stars; ratings in both directions, one while CTM is down."""
    database = await asyncpg.connect(cloud.database_url)
    try:
        dashboard = Dashboard(cloud, await signed_in(cloud, database))
        await _play(stage, cloud, Caller(cloud), dashboard, database)
    finally:
        await database.close()


async def _play(
    stage: Stage, cloud: LocalCloud, caller: Caller, dashboard: Dashboard, database: asyncpg.Connection
) -> None:
    before = set(await caller.known_to_ctm())
    callers = {client.key: Caller(cloud, client) for client in CLIENTS.values()} | {CLIENT.key: caller}
    async with stage.step(f"{COUNT} people call each of three clients"):
        for one in callers.values():
            for number in range(COUNT):
                await one.call(number, transcript=f"{_SAYS[number % len(_SAYS)]} This is caller {number}.")
    await cloud.control.put("/faults/ctm", json={"latency_ms": 100})
    await cloud.control.put("/vertex", json={"latency_ms": 300})
    async with stage.step("one dashboard syncs, the poll reads the others; 100 ms a page") as notes:
        polled = await cloud.control.post("/schedules/leads_poll_ctm/run")
        expect(polled.is_success, f"the poll could not be run: {polled.text}")
        answer = await dashboard.ask("POST", "/sync", json={})
        expect(answer.status_code == 200, f"the sync answered {answer.status_code}: {answer.text[:200]}")
    async with stage.step("every call is stored, once, and classified; 300 ms of AI each") as notes:
        for key, one in callers.items():
            await until(
                f"every call of {CLIENTS[key].business} with its label",
                partial(_all_labelled, one, CLIENTS[key], database),
                within_s=120,
            )
        await cloud.control.delete("/faults/ctm")
        await cloud.control.put("/vertex", json={"latency_ms": 0})
        known = set(await caller.known_to_ctm())
        told = answer.json()
        pages = (
            f"{told['syncMeta']['pagesProcessed']} pages" if told["synced"] else "read by the poll that was under way"
        )
        notes.append(f"{len(known - before)} calls of {CLIENT.business}, {pages}")
    await _say_categories(database)
    async with stage.step("a search finds one of them at once") as notes:
        found = await dashboard.calls("?search=caller%20117")
        expect(any(call["caller_name"] == "Caller 117" for call in found), "the search found nobody")
        notes.append(f"{found[0]['category']}, {found[0]['duration_formatted']}")
    calls = [call for call in await dashboard.calls() if 0 < call["rating"] < 5 and call["id"] in known - before]
    rated_here, rated_there = calls[0]["id"], calls[1]["id"]
    async with stage.step("five stars while CTM is down: kept, and posted when it is back"):
        await cloud.control.put("/faults/ctm", json={"status": 503})
        answer = await dashboard.ask("POST", f"/{rated_here}/score", json={"score": 5})
        expect(answer.status_code == 200, f"the rating answered {answer.status_code}")
        expect((await dashboard.call(rated_here))["category"] == "converted", "the category did not follow")
        await cloud.control.delete("/faults/ctm")

        async def arrived() -> bool:
            sale = (await caller.known_to_ctm())[rated_here]["sale"] or {}
            return sale.get("score") == 5 and sale.get("conversion") == 1

        await until("the rating at CTM", arrived, within_s=180)
    async with stage.step("a rating that CTM holds is the dashboard's, too"):
        missed = await caller.call(COUNT + 1, score=2, transcript="Is this the right street?")
        await until("the poll of CTM", lambda: _has_rating(cloud, dashboard, str(missed["id"]), 2), within_s=180)
    async with stage.step("cleared stars are cleared at CTM, and no sync brings them back"):
        answer = await dashboard.ask("DELETE", f"/{rated_there}/score")
        expect(answer.status_code == 200, f"clearing answered {answer.status_code}")

        async def cleared() -> bool:
            return not ((await caller.known_to_ctm())[rated_there]["sale"] or {}).get("score")

        await until("no stars at CTM", cleared, within_s=180)
        await dashboard.ask("POST", "/sync", json={})
        expect((await dashboard.call(rated_there))["rating"] == 0, "the stars came back")
    async with stage.step("all calls leave as CSV") as notes:
        answer = await dashboard.ask("GET", "/export")
        lines = answer.text.count("\r\n")
        expect(answer.status_code == 200 and lines > COUNT, "the export is not whole")
        notes.append(f"{lines - 1} lines")


async def _say_categories(database: asyncpg.Connection) -> None:
    """The table of categories, and the stars that went with them."""
    rows = await database.fetch(
        """
        select coalesce(meta ->> 'category', 'unreviewed') as category, count(*) as calls,
               max(coalesce(score, 0)) as stars
        from call_logs where owner_user_id = any($1) group by 1 order by 2 desc, 1
        """,
        [client.id for client in CLIENTS.values()],
    )
    for row in rows:
        print(f"      {row['category']:<18}{row['calls']:>5}  {'★' * row['stars'] or '–'}", flush=True)


async def _has_rating(cloud: LocalCloud, dashboard: Dashboard, call_id: str, stars: int) -> bool:
    """Whether the call is there with its stars, after the schedule that polls CTM ran."""
    ran = await cloud.control.post("/schedules/leads_poll_ctm/run")
    expect(ran.is_success, f"the poll could not be run: {ran.text}")
    answer = await dashboard.ask("GET", f"/{call_id}/detail")
    return answer.status_code == 200 and answer.json()["lead"]["rating"] == stars


async def _all_labelled(caller: Caller, client: DemoClient, database: asyncpg.Connection) -> bool:
    """Whether CTM's calls are stored, each once, and none waits for its label."""
    rows = await database.fetch(
        """
        select call_id, text_version is not distinct from classified_version as labelled
        from call_logs where owner_user_id = $1
        """,
        client.id,
    )
    stored = [row["call_id"] for row in rows]
    known = await caller.known_to_ctm()  # an earlier demo's calls may be stored, too
    return len(set(stored)) == len(stored) and known.keys() <= set(stored) and all(row["labelled"] for row in rows)


async def signed_in(cloud: LocalCloud, database: asyncpg.Connection, user_id: UUID = CLIENT.id) -> str:
    """A session of somebody's, the client's unless told, and its access token."""
    session_id: UUID = uuid4()
    now = datetime.now(UTC)
    await database.execute(
        """
        insert into user_sessions (id, user_id, refresh_token_hash, refresh_token_family, device_id,
            absolute_expiry_at, refresh_expiry_at) values ($1, $2, $3, $4, $5, $6, $6)
        """,
        session_id, user_id, uuid4().hex, uuid4(), uuid4(), now + timedelta(days=1),
    )  # fmt: skip
    claims = {
        "sub": str(user_id), "sid": str(session_id), "type": "access", "iat": now, "exp": now + timedelta(minutes=15)
    }  # fmt: skip
    return jwt.encode(claims, cloud.secrets["JWT_SECRET"], algorithm="HS256")
