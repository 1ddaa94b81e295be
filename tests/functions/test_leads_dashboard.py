"""What the dashboard does with stored calls: list, organise, export; and what it may not."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared import manifest
from tests.functions.conftest import World
from tests.functions.leads import Client, a_client

DAY = datetime(2026, 1, 31, tzinfo=UTC)


async def _store(world: World, owner: UUID, call_id: str, **columns: Any) -> None:
    """A stored call, without CTM."""
    meta = columns.pop("meta", {})
    given = {"started_at": DAY, "from_number": "+15555550100", "duration_sec": 10, "direction": "inbound", **columns}
    names = ", ".join(given)
    marks = ", ".join(f"${n}" for n in range(4, 4 + len(given)))
    await world.db.execute(
        f"insert into call_logs (owner_user_id, call_id, meta, {names}) values ($1, $2, $3, {marks})",
        owner, call_id, meta, *given.values(),
    )  # fmt: skip


async def _ids(client: Client, query: str) -> list[str]:
    return [call["id"] for call in await client.calls(query)]


async def test_the_list_filters_sorts_and_pages(world: World) -> None:
    """Each filter of the dashboard, and every sort in both directions, over the whole of the last day named."""
    client = await a_client(world)
    for number, category in enumerate(("warm", "spam", None, "warm")):
        await _store(
            world, client.id, f"c{number}", started_at=DAY + timedelta(days=number, hours=23), score=number or None,
            duration_sec=100 - number, from_number=f"+1555555020{number}", caller_type="repeat" if number else "new",
            meta={"category": category, "caller_name": f"Caller {number}"} if category else {},
        )  # fmt: skip
    await _store(world, client.id, "undated", started_at=None, duration_sec=None, from_number=None)

    assert await _ids(client, "") == ["c3", "c2", "c1", "c0", "undated"]
    assert await _ids(client, "?sort_order=asc") == ["c0", "c1", "c2", "c3", "undated"]
    assert await _ids(client, "?sort_by=score&sort_order=asc") == ["c1", "c2", "c3", "c0", "undated"]
    assert (await _ids(client, "?sort_by=duration_sec"))[:4] == ["c0", "c1", "c2", "c3"]
    assert (await _ids(client, "?sort_by=from_number&sort_order=asc"))[:4] == ["c0", "c1", "c2", "c3"]
    assert await _ids(client, "?category=warm") == ["c3", "c0"]
    assert await _ids(client, "?category=unreviewed") == ["c2", "undated"]
    assert await _ids(client, "?caller_type=repeat") == ["c3", "c2", "c1"]
    assert len(await _ids(client, "?caller_type=nonsense")) == 5
    assert await _ids(client, "?date_from=2026-02-01&date_to=2026-02-02") == ["c2", "c1"]
    assert await _ids(client, "?date_to=2026-01-31T22:00:00Z") == []
    assert await _ids(client, "?limit=2&page=2") == ["c1", "c0"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("roof", ["b"]), ("ROOF", ["b"]), ("nora", ["a"]), ("0100", ["b", "a"]), ("(555) 555", []),
        ("5555550100", ["b", "a"]),
        ("100%", ["b"]), ("_", []), ("%", ["b"]), ("google", ["a"]), ("é", ["b"]), ("'; drop", []), ("ro", ["b"]),
        ("\x00", ["b", "a"]), ("  ", ["b", "a"]),
    ],
)  # fmt: skip
async def test_search_is_for_substrings(world: World, search: str, found: list[str]) -> None:
    """Number, name, summary and source are searched, any case, any length; wildcards mean themselves."""
    client = await a_client(world)
    await _store(world, client.id, "a", meta={"caller_name": "Nora Lead", "source": "Google Ads"})
    await _store(
        world, client.id, "b", started_at=DAY + timedelta(hours=1),
        meta={"classification_summary": "Roof, 100% urgent. Élan", "source": "Café"},
    )  # fmt: skip
    answer = await client.call("GET", "/calls", params={"search": search})
    assert answer.status_code == 200, answer.text
    assert [call["id"] for call in answer.json()["calls"]] == found
    assert answer.json()["pagination"]["total"] == len(found)


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", "limit=101", "limit=0", "date_from=yesterday", "date_to=2026-13-01", "date_to=1",
     "sync=maybe"],
)  # fmt: skip
async def test_a_query_that_cannot_be_read_is_a_400(world: World, query: str) -> None:
    """The answer names the field."""
    client = await a_client(world)
    answer = await client.call("GET", f"/calls?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, query.partition("=")[0])


async def test_what_is_true_now_stands_over_stored_meta(world: World) -> None:
    """A stale rating, caller or link in meta does not show; meta's own description does."""
    client = await a_client(world)
    await _store(
        world, client.id, "old", score=2, caller_type="repeat",
        meta={"rating": 5, "score": 5, "caller_type": "new", "activeClientId": str(uuid4()), "direction": "outbound",
              "id": "other", "journey": {"id": "x"}, "time_ago": "Just now", "transcript": "Hello"},
    )  # fmt: skip
    call = await client.one("old")
    assert (call["rating"], call["score"], call["caller_type"]) == (2, 2, "repeat")
    assert (call["activeClientId"], call["journey"], call["direction"]) == (None, None, "outbound")
    assert call["time_ago"] != "Just now" and call["transcript"] == "Hello"
    assert call["call_time"] == "Jan 31, 2026, 12:00 AM"


async def test_caller_types_do_not_depend_on_the_order_of_storing(world: World) -> None:
    """The oldest call of a number is new, later ones repeat; however the number is written, it is one caller."""
    client = await a_client(world)
    newer = client.add_call(caller_number="(555) 555-0123", ago=timedelta(hours=1))
    await client.sync()
    oldest = client.add_call(caller_number="+1 555 555 0123", ago=timedelta(hours=9))
    middle = client.add_call(caller_number="5555550123", ago=timedelta(hours=5))
    short = client.add_call(caller_number="123", ago=timedelta(hours=5))
    await client.sync()

    calls = {call["id"]: call for call in await client.calls()}
    told = [(calls[str(c["id"])]["caller_type"], calls[str(c["id"])]["call_sequence"]) for c in (oldest, middle, newer)]
    assert told == [("new", 1), ("repeat", 2), ("repeat", 3)]
    assert calls[str(short["id"])]["caller_type"] == "new"
    previous = [one["call_id"] for one in calls[str(newer["id"])]["previous_calls"]]
    assert previous == [str(middle["id"]), str(oldest["id"])]
    assert calls[str(oldest["id"])]["previous_calls"] == []


@pytest.mark.parametrize(
    ("archived", "journey", "expected"),
    [
        (False, None, "active_client"),
        (True, None, "returning_customer"),
        (None, ("active_client", False), "active_client"),
        (None, ("active_client", True), "returning_customer"),
        (None, ("pending", False), "new"),
    ],
)
async def test_customers_are_known_by_their_number(
    world: World, archived: bool | None, journey: tuple[str, bool] | None, expected: str
) -> None:
    """An active client calls as one, one from the archive returns; a journey counts once it has won somebody."""
    client = await a_client(world)
    if archived is not None:
        await world.db.execute(
            "insert into active_clients (owner_user_id, client_phone, archived_at) values ($1, '555-555-0123', $2)",
            client.id, DAY if archived else None,
        )  # fmt: skip
    if journey is not None:
        await world.db.execute(
            """insert into client_journeys (owner_user_id, client_phone, status, archived_at)
               values ($1, '555-555-0123', $2, $3)""",
            client.id, journey[0], DAY if journey[1] else None,
        )  # fmt: skip
    told = client.add_call()
    await client.sync()
    call = await client.one(told["id"])
    assert call["caller_type"] == expected
    assert (call["active_client"] is not None) == (archived is not None)


async def test_a_link_is_kept_and_an_unlinked_call_stays_unlinked(world: World) -> None:
    """Linking makes a returning customer; what a person linked or unlinked, no sync changes."""
    client = await a_client(world)
    active = await world.db.fetchval(
        """insert into active_clients (owner_user_id, client_name, client_phone)
           values ($1, 'Ada', '+15555550123') returning id""",
        client.id,
    )
    told = client.add_call()
    await client.sync()
    path = f"/calls/{told['id']}/link-client"

    unlinked = await client.call("DELETE", path)
    told["city"] = "Austin"
    await client.sync()
    assert unlinked.json()["callerType"] == "new"
    assert (await client.one(told["id"]))["active_client_id"] is None

    linked = await client.call("POST", path, json={"activeClientId": str(active)})
    told["city"] = "Dallas"
    await client.sync()
    assert linked.json()["activeClient"] == {"id": str(active), "client_name": "Ada"}
    call = await client.one(told["id"])
    assert (call["active_client_id"], call["caller_type"]) == (str(active), "returning_customer")
    assert call["activeClient"]["client_name"] == "Ada"


async def test_history_and_detail(world: World) -> None:
    """A number's calls newest first; a call with its caller's other calls, its journey and its active client."""
    client = await a_client(world)
    for number in range(3):
        await _store(world, client.id, f"h{number}", started_at=DAY + timedelta(hours=number))
    await _store(world, client.id, "silent", from_number=None)
    service_id = await world.db.fetchval(
        "insert into services (name, user_id) values ('Roof', $1) returning id", client.id
    )
    journey = await world.db.fetchval(
        """insert into client_journeys (owner_user_id, lead_call_key, status, symptoms, service_id)
           values ($1, 'h1', 'in_progress', '["leak"]', $2) returning id""",
        client.id, service_id,
    )  # fmt: skip
    await world.db.execute("insert into client_journey_steps (journey_id, label) values ($1, 'Call')", journey)

    history = (await client.call("GET", "/calls/h1/history")).json()
    detail = (await client.call("GET", "/calls/h1/detail")).json()
    silent = (await client.call("GET", "/calls/silent/history")).json()

    assert [call["call_id"] for call in history["calls"]] == ["h2", "h1", "h0"]
    assert (history["phoneNumber"], history["totalCalls"]) == ("+15555550100", 3)
    assert (silent["calls"], "message" in silent) == ([], True)
    assert detail["lead"]["id"] == "h1"
    assert [call["call_id"] for call in detail["callHistory"]] == ["h2", "h0"]
    assert (detail["journey"]["service_name"], detail["journey"]["steps"][0]["label"]) == ("Roof", "Call")
    assert detail["lead"]["journey"]["symptoms"] == ["leak"] and detail["activeClient"] is None


async def test_stats(world: World) -> None:
    """Counts by category, caller, source and day; shares as text, as the dashboard reads them."""
    client = await a_client(world)
    now = datetime.now(UTC)
    empty = (await client.call("GET", "/calls/stats")).json()
    assert (empty["total"], empty["conversionRate"], empty["byCategory"]) == (0, 0, {})
    await _store(world, client.id, "1", started_at=now, score=5, meta={"category": "converted", "source": "Ads"})
    await _store(world, client.id, "2", started_at=now, score=2, meta={"category": "needs_attention", "source": "Ads"})
    await _store(world, client.id, "3", started_at=now - timedelta(days=20), meta={})
    await _store(world, client.id, "4", started_at=now - timedelta(days=40), meta={})

    told = (await client.call("GET", "/calls/stats?days=30")).json()

    assert (told["total"], told["converted"], told["needsAttention"], told["ratedCount"]) == (3, 1, 1, 2)
    assert (told["conversionRate"], told["averageRating"]) == ("33.3", "3.5")
    assert told["bySource"] == [{"source": "Ads", "count": 2}, {"source": "Calls", "count": 1}]
    assert told["byCategory"] == {"converted": 1, "needs_attention": 1, "unreviewed": 1}
    assert [day["count"] for day in told["dailyVolume"]] == [2]
    assert (await client.call("GET", "/calls/stats?days=366")).status_code == 400


async def test_the_export_is_csv_without_formulas(world: World) -> None:
    """Every call, also beyond one chunk; quotes once doubled; no cell that a spreadsheet would run."""
    client = await a_client(world)
    await _store(
        world, client.id, "x", score=3,
        meta={"caller_name": '=HYPERLINK("http://evil")', "classification_summary": 'He said "hi",\nthen left'},
    )  # fmt: skip
    for number in range(600):
        await _store(world, client.id, f"more{number}", started_at=DAY - timedelta(hours=1))

    answer = await client.call("GET", "/calls/export")

    assert answer.headers["content-type"].startswith("text/csv")
    assert f'filename="leads-export-{datetime.now(UTC):%Y-%m-%d}.csv"' in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0][:3] == ["Call ID", "Caller Name", "Phone"] and len(rows) == 602
    assert rows[1] == [
        "x", '\'=HYPERLINK("http://evil")', "'+15555550100", "inbound", "2026-01-31T00:00:00.000Z", "10", "3", "new",
        "Calls", "unreviewed", "", 'He said "hi",\nthen left', "",
    ]  # fmt: skip


async def test_pipeline_stages(world: World) -> None:
    """Six defaults, made once even by two first calls; moved, changed, deleted, and only one's own."""
    client = await a_client(world)
    await _store(world, client.id, "c")

    answers = await asyncio.gather(*(client.call("GET", "/pipeline-stages") for _ in range(4)))
    stages = answers[0].json()["stages"]
    assert [stage["name"] for stage in stages] == [
        "New Lead", "Contacted", "Qualified", "Proposal Sent", "Won", "Lost"
    ]  # fmt: skip
    assert all(answer.json()["stages"] == stages for answer in answers)
    assert [stage["is_won_stage"] for stage in stages] == [False] * 4 + [True, False]

    made = (await client.call("POST", "/pipeline-stages", json={"name": " Later "})).json()["stage"]
    assert (made["name"], made["position"], made["color"]) == ("Later", 6, "#6366f1")
    path = f"/pipeline-stages/{made['id']}"
    assert (await client.call("PUT", path, json={"color": "#fff"})).json()["stage"]["color"] == "#fff"
    assert (await client.call("PUT", path, json={})).status_code == 400
    moved = await client.call("PUT", "/calls/c/stage", json={"stage_id": made["id"]})
    assert moved.json() == {"message": "The call was moved.", "callId": "c", "stageId": made["id"]}
    assert (await client.call("DELETE", path)).status_code == 200
    assert (await client.call("DELETE", path)).status_code == 404
    assert (await client.one("c"))["pipeline_stage_id"] is None
    assert (await client.call("PUT", "/calls/c/stage", json={"stage_id": None})).json()["stageId"] is None


async def test_notes(world: World) -> None:
    """Newest first, by whoever is signed in, also an admin acting for the client; only kinds that are known."""
    client = await a_client(world)
    await _store(world, client.id, "c")
    admin_id = await world.user("admin")
    acting = {**await world.sign_in(admin_id), "x-acting-user": str(client.id)}

    mine = (await client.call("POST", "/leads/c/notes", json={"body": " First "})).json()["note"]
    theirs = await world.call(
        "POST", "/api/hub/leads/c/notes", headers=acting,
        json={"body": "Second", "note_type": "call", "metadata": {"a": 1}},
    )  # fmt: skip

    assert (mine["body"], mine["note_type"], mine["author_name"]) == ("First", "note", "Pat Example")
    assert theirs.json()["note"]["author_id"] == str(admin_id)
    notes = (await client.call("GET", "/leads/c/notes")).json()["notes"]
    assert [note["body"] for note in notes] == ["Second", "First"]
    assert (await client.call("DELETE", f"/leads/c/notes/{mine['id']}")).status_code == 200
    assert (await client.call("DELETE", f"/leads/c/notes/{mine['id']}")).status_code == 404
    assert (await client.call("POST", "/leads/c/notes", json={"body": "  "})).status_code == 400
    assert (await client.call("POST", "/leads/c/notes", json={"body": "x", "note_type": "fax"})).status_code == 400


async def test_tags(world: World) -> None:
    """By id, by the reference's tagId, or by a name that may be new; twice is once; a tag's colour is its own."""
    client = await a_client(world)
    await _store(world, client.id, "c")
    tag = (await client.call("POST", "/tags", json={"name": "vip", "color": "#111111"})).json()["tag"]
    assert (await client.call("POST", "/lead-tags", json={"name": "vip"})).json()["tag"] == tag
    assert (await client.call("POST", "/lead-tags", json={"name": "vip", "color": "red"})).json()["tag"][
        "color"
    ] == "red"

    for body in ({"tag_id": tag["id"]}, {"tagId": tag["id"]}, {"tag_name": "vip", "tag_color": "#222222"}):
        tags = (await client.call("POST", "/calls/c/tags", json=body)).json()["tags"]
        assert [(one["name"], one["color"]) for one in tags] == [("vip", "red")]
    assert len((await client.call("POST", "/calls/c/tags", json={"tag_name": "Cold"})).json()["tags"]) == 2
    assert (await client.call("POST", "/calls/c/tags", json={})).status_code == 400
    assert [one["name"] for one in (await client.call("GET", "/tags")).json()["tags"]] == ["Cold", "vip"]
    assert (await client.call("DELETE", f"/calls/c/tags/{tag['id']}")).status_code == 200
    assert [one["name"] for one in (await client.call("GET", "/calls/c/tags")).json()["tags"]] == ["Cold"]
    for _ in range(2):
        assert (await client.call("DELETE", f"/lead-tags/{tag['id']}")).status_code == 200


async def test_saved_views(world: World) -> None:
    """Filters come back as they were; a new default is the only one."""
    client = await a_client(world)
    filters = {"search": "roof", "dateFrom": "2026-01-31", "callerType": "new"}
    first = (
        await client.call("POST", "/lead-views", json={"name": "A", "filters": filters, "is_default": True})
    ).json()
    await client.call("POST", "/lead-views", json={"name": "B", "is_default": True})

    views = (await client.call("GET", "/lead-views")).json()["views"]
    assert [(view["name"], view["is_default"]) for view in views] == [("B", True), ("A", False)]
    assert views[1]["filters"] == filters
    path = f"/lead-views/{first['view']['id']}"
    assert [(await client.call("DELETE", path)).status_code for _ in range(2)] == [200, 404]
    assert (await client.call("POST", "/lead-views", json={"filters": {}})).status_code == 400


# Tenancy

BODIES: dict[str, Any] = {
    "leads_rate_call": {"score": 3},
    "leads_set_category": {"category": "warm"},
    "leads_link_client": {"activeClientId": "{active_client}"},
    "leads_move_call": {"stage_id": None},
    "leads_tag_call": {"tag_id": "{tag_id}"},
    "leads_add_note": {"body": "Hello"},
    "leads_update_stage": {"name": "Mine now"},
}
HTTP = [function for function in manifest.LEADS if function.trigger == "http"]
ROUTES = [(function, route) for function in HTTP for route in function.routes]


@pytest.mark.parametrize(("function", "route"), ROUTES, ids=[route for _, route in ROUTES])
async def test_a_stranger_gets_401(world: World, function: manifest.Function, route: str) -> None:
    """No route of the leads area answers anybody who is not signed in."""
    method, path = route.split()
    for name in ("call_id", "tag_id", "stage_id", "note_id", "view_id", "client_id"):
        path = path.replace("{" + name + "}", str(uuid4()))
    assert (await world.call(method, path, json={})).status_code == 401


@pytest.mark.parametrize(
    ("function", "route"), [pair for pair in ROUTES if "{" in pair[1]], ids=[r for _, r in ROUTES if "{" in r]
)
async def test_another_clients_rows_do_not_exist(world: World, function: manifest.Function, route: str) -> None:
    """Every route with an id in its path answers another client 404 (admin routes 403), and changes nothing."""
    mine, other = await a_client(world), await a_client(world)
    await _store(world, mine.id, f"call-{mine.id}", score=4)
    ids = await _rows(world, mine)
    before = await _everything(world, mine.id)
    method, path = route.split()
    body = BODIES.get(function.name, {})
    for name, value in ids.items():
        path = path.replace("{" + name + "}", value)
        body = {key: value if text == "{" + name + "}" else text for key, text in body.items()}

    answer = await world.call(method, path, headers=other.headers, json=body)

    if function.access is manifest.ADMIN:
        assert answer.status_code == 403
    elif function.name in ("leads_list_call_tags", "leads_list_notes", "leads_delete_tag"):
        assert answer.status_code == 200
        assert answer.json() in ({"tags": []}, {"notes": []}, {"message": "The tag was deleted."})
    else:
        assert answer.status_code == 404, answer.text
    assert await _everything(world, mine.id) == before


async def test_another_clients_tag_stage_and_customer_cannot_be_used(world: World) -> None:
    """An id in the body is checked like one in the path."""
    mine, other = await a_client(world), await a_client(world)
    await _store(world, mine.id, f"call-{mine.id}")
    await _store(world, other.id, "own")
    ids = await _rows(world, mine)

    for method, path, body in (
        ("POST", "/calls/own/tags", {"tag_id": ids["tag_id"]}),
        ("PUT", "/calls/own/stage", {"stage_id": ids["stage_id"]}),
        ("POST", "/calls/own/link-client", {"activeClientId": ids["active_client"]}),
    ):
        assert (await other.call(method, path, json=body)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/calls/c/category", {"category": "active_client"}),
        ("PUT", "/calls/c/category", {}),
        ("POST", "/calls/c/link-client", {"activeClientId": "x"}),
        ("PUT", "/calls/c/stage", {}),
        ("PUT", "/calls/c/stage", {"stage_id": "x"}),
        ("POST", "/calls/sync", {"fullSync": "perhaps"}),
        ("POST", "/lead-tags", {"name": ""}),
        ("POST", "/lead-tags", {"name": "x", "color": "url(evil)"}),
        ("POST", "/pipeline-stages", {"name": "x", "position": -1}),
        ("POST", "/lead-views", {"name": "x", "filters": []}),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_400(world: World, method: str, path: str, body: dict[str, Any]) -> None:
    """Nothing half-read is done."""
    client = await a_client(world)
    await _store(world, client.id, "c")
    answer = await client.call(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


async def test_ids_that_are_no_uuids_are_404(world: World) -> None:
    """A stage, tag, note or view of a nonsensical id is not there."""
    client = await a_client(world)
    for method, path in (
        ("DELETE", "/lead-tags/x"), ("DELETE", "/lead-views/x"), ("DELETE", "/pipeline-stages/x"),
        ("DELETE", "/leads/c/notes/x"), ("GET", "/calls/nope/detail"), ("POST", "/calls/nope/score"),
        ("PUT", "/calls/nope/category"),
    ):  # fmt: skip
        body = {"score": 3} if path.endswith("score") else {"category": "warm"}
        assert (await client.call(method, path, json=body)).status_code == 404


async def _rows(world: World, client: Client) -> dict[str, str]:
    """One of everything of a client's, by the names of path parameters."""
    call_id = f"call-{client.id}"
    tag = (await client.call("POST", f"/calls/{call_id}/tags", json={"tag_name": "vip"})).json()["tags"][0]
    note = (await client.call("POST", f"/leads/{call_id}/notes", json={"body": "Hi"})).json()["note"]
    view = (await client.call("POST", "/lead-views", json={"name": "All"})).json()["view"]
    stage = (await client.call("POST", "/pipeline-stages", json={"name": "One"})).json()["stage"]
    active = await world.db.fetchval(
        "insert into active_clients (owner_user_id, client_name) values ($1, 'Ada') returning id", client.id
    )
    return {
        "call_id": call_id,
        "tag_id": tag["id"],
        "note_id": note["id"],
        "view_id": view["id"],
        "stage_id": stage["id"],
        "client_id": str(client.id),
        "active_client": str(active),
    }


async def _everything(world: World, owner: UUID) -> list[Any]:
    tables = ("call_logs", "lead_tags", "lead_notes", "lead_saved_views", "lead_pipeline_stages")
    queries = [f"select * from {table} where owner_user_id = $1 order by id" for table in tables]
    queries.append("select c.* from call_log_tags c join lead_tags t on t.id = c.tag_id where t.owner_user_id = $1")
    return [dict(row) for query in queries for row in await world.db.fetch(query, owner)]
