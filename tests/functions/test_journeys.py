"""Journeys of leads: begun with a template, worked on by steps, ended, archived, restored, redacted."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared import manifest
from tests.functions.conftest import World
from tests.functions.leads import Client
from tests.functions.test_portal_input import JUNK, fields_of

PHONE = "+15555550123"


async def a_client(world: World) -> Client:
    """A signed-in client of the agency, without CTM."""
    client_id = await world.client()
    return Client(world, client_id, None, await world.sign_in(client_id))  # type: ignore[arg-type]


async def a_lead(world: World, owner: UUID, call_id: str | None = None, number: str | None = PHONE) -> str:
    """A stored call; its CTM id."""
    call_id = call_id or uuid4().hex
    await world.db.execute(
        """insert into call_logs (owner_user_id, call_id, from_number, started_at, meta)
           values ($1, $2, $3, now(), $4)""",
        owner, call_id, number,
        {"caller_name": "Ada Caller", "caller_email": "ada@example.test", "source": "Google Ads"},
    )  # fmt: skip
    return call_id


async def start(client: Client, **body: Any) -> dict[str, Any]:
    return await said(client, "POST", "/journeys", body or {"client_name": "Ada"})


async def said(client: Client, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """The journey that an operation answers."""
    answer = await client.call(method, path, json={} if body is None else body)
    assert answer.status_code == 200, answer.text
    journey: dict[str, Any] = answer.json()["journey"]
    return journey


async def ids(client: Client, query: str = "") -> list[str]:
    answer = await client.call("GET", f"/journeys{query}")
    assert answer.status_code == 200, answer.text
    return [journey["id"] for journey in answer.json()["journeys"]]


def weeks_from_now(moment: str | None) -> float | None:
    if moment is None:
        return None
    return round((datetime.fromisoformat(moment) - datetime.now(UTC)) / timedelta(weeks=1), 2)


async def test_a_journey_begins_with_the_templates_steps(world: World) -> None:
    """Six steps at weeks 0, 1, 2, 4, 6, 8; the first dated one is the next action; the lead finds its journey."""
    client = await a_client(world)
    lead = await a_lead(world, client.id)

    journey = await start(client, lead_call_id=lead, symptoms=[" Leak ", "leak", "Noise"])

    assert [step["offset_weeks"] for step in journey["steps"]] == [0, 1, 2, 4, 6, 8]
    assert [weeks_from_now(step["due_at"]) for step in journey["steps"]] == [None, 1, 2, 4, 6, 8]
    assert [step["position"] for step in journey["steps"]] == [0, 1, 2, 3, 4, 5]
    assert (journey["status"], journey["paused"], journey["archived_at"]) == ("pending", False, None)
    assert (journey["lead_call_id"], journey["lead_call_key"]) == (lead, lead)
    assert (journey["client_name"], journey["client_phone"], journey["client_email"]) == (
        "Ada Caller", PHONE, "ada@example.test",
    )  # fmt: skip
    assert journey["symptoms"] == ["Leak", "Noise"] and journey["notes"] == []
    assert journey["next_action_at"] == journey["steps"][1]["due_at"]
    call = await client.one(lead)
    assert (call["journeyId"], call["caller_type"]) == (journey["id"], "new")
    assert call["journey"] == {
        "id": journey["id"], "status": "pending", "paused": False, "next_action_at": journey["next_action_at"],
        "symptoms": ["Leak", "Noise"],
    }  # fmt: skip
    stored = await world.db.fetchrow("select lead_call_id from client_journeys where id = $1", UUID(journey["id"]))
    assert stored["lead_call_id"] == await world.db.fetchval("select id from call_logs where call_id = $1", lead)


async def test_a_lead_keeps_its_journey_unless_a_new_one_is_wanted(world: World) -> None:
    """Started again, the lead's journey is updated and nothing of it reset; ``force_new`` begins another."""
    client = await a_client(world)
    lead = await a_lead(world, client.id)
    first = await start(client, lead_call_id=lead, symptoms=["Leak"])
    await said(client, "PUT", f"/journeys/{first['id']}", {"status": "in_progress"})

    again = await start(client, lead_call_id=lead, notes_summary="Wants a date", client_email=None)
    other = await start(client, lead_call_id=lead, force_new=True)

    assert (again["id"], again["status"], again["symptoms"]) == (first["id"], "in_progress", ["Leak"])
    assert (again["notes_summary"], again["client_email"]) == ("Wants a date", "ada@example.test")
    assert len(again["steps"]) == 6
    assert other["id"] != first["id"] and await ids(client) == [other["id"], first["id"]]
    assert (await client.one(lead))["journeyId"] == other["id"]


async def test_two_tabs_start_one_journey(world: World) -> None:
    """Starting a lead's journey several times at once makes one, with its steps once."""
    client = await a_client(world)
    lead = await a_lead(world, client.id)
    made = await asyncio.gather(*(start(client, lead_call_id=lead) for _ in range(5)))
    assert len({journey["id"] for journey in made}) == 1
    assert len(made[0]["steps"]) == 6 and len(await ids(client)) == 1


async def test_an_archived_journey_stays_and_a_new_one_begins(world: World) -> None:
    """A lead whose journey lies in the archive begins anew; the old one is not changed silently."""
    client = await a_client(world)
    lead = await a_lead(world, client.id)
    old = await start(client, lead_call_id=lead)
    await said(client, "POST", f"/journeys/{old['id']}/archive")

    new = await start(client, lead_call_id=lead)

    assert new["id"] != old["id"] and new["status"] == "pending"
    assert await ids(client, "?archived=true") == [old["id"]]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "NOBODY_NAMED"),
        ({"symptoms": ["Leak"]}, 400, "NOBODY_NAMED"),
        ({"lead_call_id": "nope"}, 404, "NOT_FOUND"),
        ({"client_name": "A", "active_client_id": str(uuid4())}, 404, "NOT_FOUND"),
        ({"client_name": "A", "service_id": str(uuid4())}, 404, "NOT_FOUND"),
        ({"client_name": "A", "parent_journey_id": str(uuid4())}, 404, "NOT_FOUND"),
        ({"client_name": "A", "status": "begun"}, 400, "VALIDATION_ERROR"),
        ({"client_name": "A", "symptoms": "Leak"}, 400, "VALIDATION_ERROR"),
        ({"client_name": "A", "next_action_at": "soon"}, 400, "VALIDATION_ERROR"),
    ],
)
async def test_a_journey_that_cannot_begin(world: World, body: dict[str, Any], status: int, code: str) -> None:
    """Nobody named, something that is not there, something unreadable: said, and nothing made."""
    client = await a_client(world)
    answer = await client.call("POST", "/journeys", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await ids(client) == []


async def test_a_refused_journey_leaves_nothing(world: World) -> None:
    """What a refusal quotes is the field, never what was said of somebody's health."""
    client = await a_client(world)
    answer = await client.call("POST", "/journeys", json={"client_name": "A", "symptoms": ["Secret pain", {}]})
    assert answer.status_code == 400 and "Secret" not in answer.text and "symptoms" in answer.text


async def test_the_archive_and_back(world: World) -> None:
    """Archived once, hidden from the list, found there; restored, it is in progress, as the seeds' diagram says."""
    client = await a_client(world)
    journey = await start(client)
    path = f"/journeys/{journey['id']}"

    once = await said(client, "POST", f"{path}/archive")
    twice = await said(client, "POST", f"{path}/archive")
    hidden, shown, every = (
        await ids(client),
        await ids(client, "?archived=true"),
        await ids(client, "?include_archived=true"),
    )
    seen = (await client.call("GET", path)).json()["journey"]
    back = await said(client, "POST", f"{path}/unarchive")
    again = await said(client, "POST", f"{path}/unarchive")

    assert once["status"] == "archived" and once["archived_at"] == twice["archived_at"] == seen["archived_at"]
    assert (hidden, shown, every) == ([], [journey["id"]], [journey["id"]])
    assert (back["status"], back["archived_at"]) == (again["status"], again["archived_at"]) == ("in_progress", None)
    assert await ids(client) == [journey["id"]]


async def test_a_status_and_the_archive_agree(world: World) -> None:
    """Choosing ``archived`` archives, and ``in_progress`` restores: neither says one thing and is another."""
    client = await a_client(world)
    path = f"/journeys/{(await start(client))['id']}"
    archived = await said(client, "PUT", path, {"status": "archived"})
    assert archived["status"] == "archived" and archived["archived_at"] is not None
    assert len(await ids(client, "?status=archived")) == 1
    back = await said(client, "PUT", f"{path}/status", {"status": "in_progress"})
    assert (back["status"], back["archived_at"]) == ("in_progress", None)


async def test_an_ended_journey_does_not_go_back(world: World) -> None:
    """A jump that the diagram does not draw is a 409, and changes nothing else that was sent with it."""
    client = await a_client(world)
    path = f"/journeys/{(await start(client))['id']}"
    await said(client, "PUT", f"{path}/status", {"status": "lost"})

    refused = await client.call("PUT", path, json={"status": "pending", "client_name": "Eve"})

    assert (refused.status_code, refused.json()["code"]) == (409, "STATUS_NOT_REACHABLE")
    kept = (await client.call("GET", path)).json()["journey"]
    assert (kept["status"], kept["client_name"]) == ("lost", "Ada")


async def test_an_update_changes_what_is_given(world: World) -> None:
    """Null empties, absent stays; nothing at all, or a bad status, is a 400."""
    client = await a_client(world)
    journey = await start(client, client_name="Ada", client_phone=PHONE, symptoms=["Leak"])
    path = f"/journeys/{journey['id']}"

    changed = await said(
        client, "PUT", path, {"client_phone": None, "paused": True, "next_action_at": "2031-05-01T09:30"}
    )
    bad = [
        await client.call("PUT", path, json=body)
        for body in ({}, {"status": "x"}, {"parent_journey_id": journey["id"]})
    ]

    assert (changed["client_name"], changed["client_phone"], changed["paused"]) == ("Ada", None, True)
    assert changed["symptoms"] == ["Leak"] and changed["next_action_at"].startswith("2031-05-01T09:30:00")
    assert [answer.status_code for answer in bad] == [400, 400, 400]


async def test_the_next_action_is_the_first_open_step(world: World) -> None:
    """Completing, reopening, dating, adding and deleting steps each move it; a date set by hand stays until they do."""
    client = await a_client(world)
    await client.call("PUT", "/journey-template", json={"steps": []})
    journey = await start(client)
    steps = f"/journeys/{journey['id']}/steps"
    assert journey["steps"] == [] and journey["next_action_at"] is None

    journey = await said(client, "POST", steps, {"label": "Call", "due_at": "2031-01-02T10:00"})
    assert journey["next_action_at"] == journey["steps"][0]["due_at"] == "2031-01-02T10:00:00.000Z"
    journey = await said(client, "POST", steps, {"label": "Write", "due_at": "2031-01-01T10:00", "position": 0})
    assert [step["label"] for step in journey["steps"]] == ["Write", "Call"]
    assert journey["next_action_at"] == "2031-01-01T10:00:00.000Z"
    write, call = (f"{steps}/{step['id']}" for step in journey["steps"])

    done = await said(client, "PUT", f"{write}/complete")
    assert done["steps"][0]["completed_at"] is not None and done["next_action_at"] == "2031-01-02T10:00:00.000Z"
    assert (await said(client, "PUT", f"{write}/complete"))["steps"] == done["steps"]
    by_hand = await said(client, "PUT", f"/journeys/{journey['id']}", {"next_action_at": "2030-12-24"})
    noted = await said(client, "PUT", call, {"notes": "Rings twice"})
    assert by_hand["next_action_at"] == noted["next_action_at"] == "2030-12-24T00:00:00.000Z"
    reopened = await said(client, "PUT", write, {"completed_at": None})
    assert reopened["next_action_at"] == "2031-01-01T10:00:00.000Z"
    moved = await said(client, "PUT", write, {"due_at": "2031-02-01T10:00", "label": "Write a letter"})
    assert moved["next_action_at"] == "2031-01-02T10:00:00.000Z"
    left = await said(client, "DELETE", call)
    assert left["next_action_at"] == "2031-02-01T10:00:00.000Z" and left["steps"][0]["position"] == 0
    assert (await said(client, "DELETE", write))["next_action_at"] is None
    assert (await client.call("DELETE", write)).status_code == 404


async def test_a_step_goes_where_it_is_put(world: World) -> None:
    """Positions stay 0, 1, 2 …, wherever a step is moved, beyond the end too."""
    client = await a_client(world)
    journey = await start(client)
    last = journey["steps"][-1]["id"]
    path = f"/journeys/{journey['id']}/steps"

    first = await said(client, "PUT", f"{path}/{last}", {"position": 0})
    beyond = await said(client, "PUT", f"{path}/{last}", {"position": 99})
    deleted = await said(client, "DELETE", f"{path}/{journey['steps'][2]['id']}")

    assert first["steps"][0]["id"] == last and beyond["steps"][-1]["id"] == last
    for told in (first, beyond, deleted):
        assert [step["position"] for step in told["steps"]] == list(range(len(told["steps"])))
    assert len(deleted["steps"]) == 5


async def test_steps_are_dated_by_weeks_unless_told(world: World) -> None:
    """``offset_weeks`` gives a date, null takes it away, 0 gives none; a step needs a label."""
    client = await a_client(world)
    path = f"/journeys/{(await start(client))['id']}/steps"
    await client.call("POST", path, json={"label": "A", "offset_weeks": 3})
    await client.call("POST", path, json={"label": "B", "offset_weeks": "3", "due_at": None})
    steps = (await said(client, "POST", path, {"label": "C"}))["steps"][-3:]
    assert [(weeks_from_now(step["due_at"]), step["offset_weeks"]) for step in steps] == [(3, 3), (None, 3), (None, 0)]
    for blank in ("", None):
        assert (await said(client, "POST", path, {"label": "D", "offset_weeks": blank}))["steps"][-1]["due_at"] is None
    bad = ({}, {"label": " "}, {"label": "x", "offset_weeks": -1}, {"label": "x", "due_at": "later"})
    assert [(await client.call("POST", path, json=body)).status_code for body in bad] == [400] * 4
    step = f"{path}/{steps[0]['id']}"
    assert (await client.call("PUT", step, json={})).status_code == 400
    assert (await client.call("PUT", f"{path}/{uuid4()}", json={"label": "x"})).status_code == 404


async def test_the_template_is_the_clients_own(world: World) -> None:
    """Six defaults until it is saved; rows without a label are dropped; an empty one seeds nothing."""
    client, other = await a_client(world), await a_client(world)
    default = (await client.call("GET", "/journey-template")).json()["template"]
    assert [step["offset_weeks"] for step in default] == [0, 1, 2, 4, 6, 8]
    assert all(step["id"] and step["label"] and isinstance(step["message"], str) for step in default)

    steps = [
        {"id": "a", "label": "Hello", "channel": "call", "message": "Hi", "offset_weeks": 0.5, "tone": "warm"},
        {"id": 7, "label": " ", "channel": None},
        {"label": "Bye", "channel": None, "offset_weeks": "2"},
    ]
    saved = (await client.call("PUT", "/journey-template", json={"steps": steps})).json()["template"]
    assert [step["label"] for step in saved] == ["Hello", "Bye"]
    assert saved[0] == steps[0] and saved[1]["id"] and saved[1]["offset_weeks"] == 2
    assert (await client.call("GET", "/journey-template")).json()["template"] == saved
    assert (await other.call("GET", "/journey-template")).json()["template"] == default

    journey = await start(client)
    assert [(step["label"], weeks_from_now(step["due_at"])) for step in journey["steps"]] == [
        ("Hello", 0.5),
        ("Bye", 2),
    ]
    assert (await client.call("PUT", "/journey-template", json={"steps": "x"})).status_code == 400
    await client.call("PUT", "/journey-template", json={"steps": []})
    assert (await client.call("GET", "/journey-template")).json() == {"template": []}
    assert (await start(client))["steps"] == []


async def test_applying_the_template_fills_only_an_empty_journey(world: World) -> None:
    """Once, also when two tabs ask at once."""
    client = await a_client(world)
    await client.call("PUT", "/journey-template", json={"steps": []})
    path = f"/journeys/{(await start(client))['id']}/apply-template"
    steps = [{"label": "One", "offset_weeks": 1}, {"label": "Two"}]
    await client.call("PUT", "/journey-template", json={"steps": steps})

    applied = await asyncio.gather(*(said(client, "POST", path) for _ in range(3)))

    assert [len(journey["steps"]) for journey in applied] == [2, 2, 2]
    assert weeks_from_now(applied[0]["next_action_at"]) == 1


async def test_notes_are_by_who_signed_in(world: World) -> None:
    """Newest first, by the admin who acts for the client; an empty one is a 400."""
    client = await a_client(world)
    path = f"/journeys/{(await start(client))['id']}/notes"
    admin = await world.user("admin")
    acting = {**await world.sign_in(admin), "X-Acting-User": str(client.id)}

    await said(client, "POST", path, {"body": "First"})
    answer = await world.call("POST", f"/api/hub{path}", json={"body": " Second "}, headers=acting)

    notes = answer.json()["journey"]["notes"]
    assert [(note["body"], note["author_id"]) for note in notes] == [("Second", str(admin)), ("First", str(client.id))]
    assert notes[0]["author_name"] == "Pat Example"
    assert (await client.call("POST", path, json={"body": " "})).status_code == 400


async def test_a_journey_names_its_service_and_its_parent(world: World) -> None:
    """By id and by name, as the drawer shows them; the list is filtered by status and by active client."""
    client = await a_client(world)
    service = (await client.call("POST", "/services", json={"name": "Whitening", "description": "Teeth"})).json()[
        "service"
    ]
    active = await world.db.fetchval(
        "insert into active_clients (owner_user_id, client_name, client_phone) values ($1, 'Ada', $2) returning id",
        client.id, PHONE,
    )  # fmt: skip
    parent = await start(client, client_name="Parent")
    journey = await start(
        client,
        active_client_id=str(active),
        service_id=service["id"],
        parent_journey_id=parent["id"],
        status="in_progress",
    )
    assert (journey["client_name"], journey["client_phone"]) == ("Ada", PHONE)
    assert (journey["service_name"], journey["service_description"]) == ("Whitening", "Teeth")
    assert journey["service"] == {"id": service["id"], "name": "Whitening", "description": "Teeth"}
    assert journey["parent_journey"] == {"id": parent["id"], "client_name": "Parent"}
    assert journey["parent_journey_name"] == "Parent"
    assert await ids(client, "?status=in_progress") == [journey["id"]]
    assert await ids(client, f"?active_client_id={active}") == [journey["id"]]
    assert (await client.call("GET", "/journeys?status=odd")).status_code == 400


async def test_what_a_journey_says_of_its_caller(world: World) -> None:
    """A journey that won its customer tells who calls from their number; in the archive, that they return."""
    client = await a_client(world)
    lead = await a_lead(world, client.id)
    path = f"/journeys/{(await start(client, lead_call_id=lead))['id']}"

    seen = [(await client.one(lead))["caller_type"]]
    for method, way, body in (
        ("PUT", "", {"status": "active_client"}), ("POST", "/archive", {}), ("POST", "/unarchive", {}),
        ("PUT", "", {"client_phone": "+15555550999"}),
    ):  # fmt: skip
        await said(client, method, path + way, body)
        seen.append((await client.one(lead))["caller_type"])

    assert seen == ["new", "active_client", "returning_customer", "active_client", "new"]


async def test_concerns_are_not_kept_beyond_their_time(world: World) -> None:
    """The nightly run empties those of journeys begun over 90 days ago, in the archive too, of every client, once."""
    client, other = await a_client(world), await a_client(world)
    old, young, theirs = (
        await start(client, client_name="A", symptoms=["Pain"]),
        await start(client, client_name="B", symptoms=["Pain"]),
        await start(other, client_name="C", symptoms=["Pain"]),
    )
    await said(client, "POST", f"/journeys/{old['id']}/archive")
    for journey, days in ((old, 91), (theirs, 400), (young, 89)):
        await world.db.execute(
            "update client_journeys set created_at = now() - make_interval(days => $2) where id = $1",
            UUID(journey["id"]), days,
        )  # fmt: skip

    runs = [await world.run_schedule("journeys_redact") for _ in range(2)]

    assert [run.status_code for run in runs] == [204, 204]
    told = [
        (await who.call("GET", f"/journeys/{journey['id']}")).json()["journey"]
        for who, journey in ((client, old), (other, theirs), (client, young))
    ]
    assert [(one["symptoms"], one["symptoms_redacted"]) for one in told] == [([], True), ([], True), (["Pain"], False)]
    refused = await client.call("PUT", f"/journeys/{old['id']}", json={"symptoms": ["Pain"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "SYMPTOMS_NOT_KEPT")
    assert (
        await client.call("PUT", f"/journeys/{old['id']}", json={"symptoms": [], "paused": True})
    ).status_code == 200


async def test_health_data_stays_out_of_the_logs(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Concerns, messages and notes are in no line that a request or a run writes."""
    client = await a_client(world)
    journey = await start(client, client_name="Ada", symptoms=["Hidden-Pain"], notes_summary="Hidden-Summary")
    path = f"/journeys/{journey['id']}"
    await said(client, "POST", f"{path}/notes", {"body": "Hidden-Note"})
    await said(client, "POST", f"{path}/steps", {"label": "x", "message": "Hidden-Message"})
    await client.call("PUT", path, json={"status": "odd", "symptoms": ["Hidden-Pain"]})
    await client.call("PUT", path, json={"symptoms": ["Hidden-Pain"], "parent_journey_id": str(uuid4())})
    await world.run_schedule("journeys_redact")
    written = capsys.readouterr()
    assert "request" in written.out + written.err
    assert "Hidden" not in written.out + written.err


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk)[:20])
async def test_junk_in_any_field_is_answered(world: World, junk: Any) -> None:
    """A 2xx or a 400 that names the field, and the journey can still be read."""
    client = await a_client(world)
    lead = await a_lead(world, client.id)
    journey = await start(client, lead_call_id=lead)
    path, step = f"/journeys/{journey['id']}", f"/journeys/{journey['id']}/steps/{journey['steps'][0]['id']}"
    for name, method, way, valid in (
        ("journeys_start", "POST", "/journeys", {"lead_call_id": lead}),
        ("journeys_update", "PUT", path, {}),
        ("journeys_restore", "POST", f"{path}/unarchive", {}),
        ("journeys_add_step", "POST", f"{path}/steps", {"label": "x"}),
        ("journeys_update_step", "PUT", step, {}),
        ("journeys_complete_step", "PUT", f"{step}/complete", {}),
        ("journeys_save_template", "PUT", "/journey-template", {"steps": []}),
        ("journeys_agree_to_service", "POST", f"/clients/{lead}/agree-to-service", {"services": []}),
        ("clients_add_service", "POST", "/services", {"name": "x"}),
    ):
        for field in fields_of(manifest.BY_NAME[name]):
            nested = [{field: junk}, {"label": "x", "offset_weeks": junk}, {"service_id": junk}]
            for value in (junk, [junk], nested):
                answer = await client.call(method, way, json={**valid, field: value})
                assert answer.status_code in (200, 400, 404, 409), f"{name} {field}: {answer.status_code} {answer.text}"
                assert answer.status_code == 200 or answer.json()["message"]
    assert (await client.call("GET", path)).status_code == 200


@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "9999-12-31", "0001-01-01"]
)
async def test_times_at_the_ends_of_the_calendar(world: World, moment: str) -> None:
    """What PostgreSQL or the clock cannot hold is a 400, and never a crash."""
    client = await a_client(world)
    path = f"/journeys/{(await start(client))['id']}"
    for method, way, body in (
        ("PUT", path, {"next_action_at": moment}), ("POST", f"{path}/steps", {"label": "x", "due_at": moment}),
    ):  # fmt: skip
        assert (await client.call(method, way, json=body)).status_code in (200, 400)
    assert (await client.call("GET", path)).status_code == 200
