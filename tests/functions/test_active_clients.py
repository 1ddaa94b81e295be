"""A lead agrees to a service and becomes an active client: once, in one commit, with journeys and calls."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.areas.leads import service as leads
from tests.functions.conftest import World
from tests.functions.leads import Client
from tests.functions.leads import a_client as leads_client
from tests.functions.test_journeys import PHONE, a_client, a_lead, said, start

FUNNEL = {
    "caller_name": "Ada Caller", "caller_number": "(555) 555-0123", "source": "Google Ads", "category": "warm",
    "region": "Austin", "call_time": "Jan 1, 2026, 9:00 AM", "contact_id": None, "email": "ada@example.test",
}  # fmt: skip


async def a_service(client: Client, name: str = "Cleaning", price: Any = "250.00") -> str:
    answer = await client.call("POST", "/services", json={"name": name, "base_price": price})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["service"]["id"])


async def agree(client: Client, lead: str | None, *services: str, **body: Any) -> str:
    """Agree to services, for a lead as the dashboard does or (None) by the seeds' path; the active client's id."""
    path = f"/clients/{lead}/agree-to-service" if lead else "/active-clients"
    told = {"services": [{"service_id": service, "agreed_price": "250.00"} for service in services], **body}
    answer = await client.call("POST", path, json=told)
    assert answer.status_code == 200, answer.text
    assert answer.json()["success"] is True
    return str(answer.json()["active_client_id"])


async def active_clients(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = await client.call("GET", f"/active-clients{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["active_clients"]
    return found


async def test_a_lead_becomes_an_active_client(world: World) -> None:
    """The client with what they agreed to, the journey at its end, every call of the number linked: all at once."""
    client = await a_client(world)
    lead, earlier = await a_lead(world, client.id), await a_lead(world, client.id, number="555-555-0123")
    journey = await start(client, lead_call_id=lead, symptoms=["Leak"])
    service = await a_service(client)

    made = await agree(client, lead, service, source="Phone", funnel_data={**FUNNEL, "call_id": lead})

    (active,) = await active_clients(client)
    assert active["id"] == made
    assert (active["client_name"], active["client_phone"]) == ("Ada Caller", "(555) 555-0123")
    assert (active["client_email"], active["source"]) == ("ada@example.test", "Phone, Google Ads")
    assert active["funnel_data"]["region"] == "Austin" and active["status"] == "active"
    (sold,) = active["services"]
    assert (sold["service_id"], sold["service_name"], sold["agreed_price"]) == (service, "Cleaning", 250.0)
    assert active["agreed_date"] == sold["agreed_date"] and sold["redacted_at"] is None
    assert (active["journey_id"], active["journey_status"]) == (journey["id"], "active_client")
    assert active["journey_symptoms"] == ["Leak"] and active["journey_paused"] is False
    assert active["journey_next_action_at"] == journey["next_action_at"]
    for call in (await client.one(lead), await client.one(earlier)):
        assert (call["active_client_id"], call["caller_type"]) == (made, "active_client")
    call = await client.one(lead)
    assert call["journey"]["status"] == "active_client" and call["active_client"]["client_name"] == "Ada Caller"
    detail = (await client.call("GET", f"/calls/{lead}/detail")).json()
    assert detail["activeClient"]["services"][0]["service_name"] == "Cleaning"


@pytest.mark.parametrize("number", [PHONE, None, "anonymous"])
async def test_two_clicks_and_two_tabs_are_one_agreement(world: World, number: str | None) -> None:
    """One client and one sale, however often it is said, also when no number tells who called."""
    client = await a_client(world)
    lead = await a_lead(world, client.id, number=number)
    service = await a_service(client)
    made = await asyncio.gather(*(agree(client, lead, service) for _ in range(5)))
    again = await agree(client, lead, service)
    assert len({*made, again}) == 1
    (active,) = await active_clients(client)
    assert len(active["services"]) == 1
    call = await client.one(lead)
    assert (call["active_client_id"], call["caller_type"]) == (made[0], "active_client")


async def test_saying_it_again_with_another_price_corrects_the_price(world: World) -> None:
    """The sale of a lead and a service is one; a price left out later is kept; another service is another sale."""
    client = await a_client(world)
    lead = await a_lead(world, client.id)
    cleaning, whitening = await a_service(client), await a_service(client, "Whitening")
    for price in (100, "80.50", None):
        await agree(client, lead, services=[{"service_id": cleaning, "agreed_price": price}])
    await agree(client, lead, services=[{"service_id": whitening, "agreed_price": 0}])
    (active,) = await active_clients(client)
    assert [(one["service_name"], one["agreed_price"]) for one in active["services"]] == [
        ("Cleaning", 80.5), ("Whitening", 0),
    ]  # fmt: skip


@pytest.mark.parametrize("phone", [PHONE, "12", None])
async def test_the_seeds_path_does_the_same(world: World, phone: str | None) -> None:
    """Without a lead, journeys and calls are found by the number; twice is once."""
    client = await a_client(world)
    lead = await a_lead(world, client.id)
    journey = await start(client, client_name="Ada", client_phone=phone)
    service = await a_service(client)
    body = {"client_name": "Ada", "client_phone": phone, "client_email": "ada@example.test", "source": "Walk-in"}

    made = {await agree(client, None, service, **body) for _ in range(2)}

    (active,) = await active_clients(client)
    assert made == {active["id"]} and len(active["services"]) == 1
    found = phone == PHONE
    status = (await client.call("GET", f"/journeys/{journey['id']}")).json()["journey"]["status"]
    assert status == ("active_client" if found else "pending")
    assert (await client.one(lead))["caller_type"] == ("active_client" if found else "new")
    assert active["source"] == ("Walk-in, Google Ads" if found else "Walk-in")


async def test_several_journeys_of_one_client(world: World) -> None:
    """A journey for another service goes on; a customer's second journey ends with its own agreement."""
    client = await a_client(world)
    lead = await a_lead(world, client.id)
    cleaning, whitening = await a_service(client), await a_service(client, "Whitening")
    first = await start(client, lead_call_id=lead, service_id=cleaning)
    second = await start(client, lead_call_id=lead, service_id=whitening, force_new=True)

    made = await agree(client, lead, cleaning)
    one = {j["id"]: (j["status"], j["active_client_id"]) for j in await _journeys(client)}
    await agree(client, lead, whitening)
    two = {j["id"]: j["status"] for j in await _journeys(client, f"?active_client_id={made}")}

    assert one == {first["id"]: ("active_client", made), second["id"]: ("pending", made)}
    assert two == {first["id"]: "active_client", second["id"]: "active_client"}


async def test_a_customers_next_journey_is_theirs(world: World) -> None:
    """Begun from a call of the client's number it is the client's; an agreement told without a call ends it, too."""
    client = await a_client(world)
    cleaning, whitening = await a_service(client), await a_service(client, "Whitening")
    made = await agree(client, await a_lead(world, client.id), cleaning)

    journey = await start(client, lead_call_id=await _next_call(world, client), service_id=whitening)
    assert (journey["active_client_id"], journey["status"]) == (made, "pending")
    assert await agree(client, None, whitening, client_phone="555.555.0123") == made
    assert {one["status"] for one in await _journeys(client)} == {"active_client"}


async def _next_call(world: World, client: Client) -> str:
    """One more call of the number, as a sync stores it."""
    lead = await a_lead(world, client.id)
    async with world.db.transaction() as tx:
        await leads.refresh_callers(tx, client.id, [PHONE])
    return lead


async def test_whoever_comes_back_is_the_same_client(world: World) -> None:
    """A client in the archive who agrees again is restored, with what they had; a call linked by hand counts first."""
    client = await a_client(world)
    lead, other = await a_lead(world, client.id), await a_lead(world, client.id, number="+15555550777")
    service = await a_service(client)
    made = await agree(client, lead, service)
    await client.call("POST", f"/active-clients/{made}/archive")
    assert await active_clients(client) == []
    assert (await client.one(lead))["caller_type"] == "returning_customer"

    assert await agree(client, lead, service) == made
    assert [one["id"] for one in await active_clients(client)] == [made]
    assert (await client.one(lead))["caller_type"] == "active_client"
    await client.call("POST", f"/calls/{other}/link-client", json={"activeClientId": made})
    assert await agree(client, other, await a_service(client, "Whitening")) == made
    (active,) = await active_clients(client)
    assert len(active["services"]) == 2 and active["client_phone"] == PHONE
    assert (await client.one(other))["active_client_id"] == made


async def test_an_agreement_is_whole_or_not_at_all(world: World) -> None:
    """A service of somebody else, among others: 404, and no client, sale, journey or link is left behind."""
    client, other = await a_client(world), await a_client(world)
    lead = await a_lead(world, client.id)
    await start(client, lead_call_id=lead)
    mine, theirs = await a_service(client), await a_service(other)

    for services in ([mine, theirs], [str(uuid4())]):
        body = {"services": [{"service_id": one} for one in services]}
        answer = await client.call("POST", f"/clients/{lead}/agree-to-service", json=body)
        assert answer.status_code == 404
    unknown = await client.call("POST", "/clients/nope/agree-to-service", json={"services": [{"service_id": mine}]})
    foreign = await other.call("POST", f"/clients/{lead}/agree-to-service", json={"services": [{"service_id": theirs}]})

    assert (unknown.status_code, foreign.status_code) == (404, 404)
    assert await active_clients(client) == [] == await active_clients(other)
    call = await client.one(lead)
    assert (call["journey"]["status"], call["active_client_id"], call["caller_type"]) == ("pending", None, "new")


@pytest.mark.parametrize(
    "body",
    [
        {}, {"services": []}, {"services": [{}]}, {"services": [{"service_id": "x"}]}, {"services": "x"},
        {"services": [{"service_id": str(uuid4()), "agreed_price": "much"}]},
        {"services": [{"service_id": str(uuid4()), "agreed_price": -1}]},
        {"services": [{"service_id": str(uuid4())}], "funnel_data": []},
    ],
)  # fmt: skip
async def test_an_agreement_that_cannot_be_read(world: World, body: dict[str, Any]) -> None:
    """No service, or one that cannot be understood, is a 400."""
    client = await a_client(world)
    lead = await a_lead(world, client.id)
    for path in (f"/clients/{lead}/agree-to-service", "/active-clients"):
        assert (await client.call("POST", path, json=body)).status_code == 400


async def test_the_archive_takes_journeys_along_and_brings_them_back(world: World) -> None:
    """Restored are those that went with their client, not one archived on its own; the list shows live ones."""
    client = await a_client(world)
    lead = await a_lead(world, client.id)
    own, open_one = await start(client, lead_call_id=lead), None
    made = await agree(client, lead, await a_service(client))
    open_one = await start(client, active_client_id=made, client_name="Ada")
    alone = await start(client, active_client_id=made, client_name="Ada")
    await said(client, "POST", f"/journeys/{alone['id']}/archive")
    (listed,) = await active_clients(client)
    assert listed["journey_id"] == open_one["id"]

    answers = [await client.call("POST", f"/active-clients/{made}/archive") for _ in range(2)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"success": True})] * 2
    assert await _journeys(client) == []
    (archived,) = await active_clients(client, "?status=archived")
    assert archived["archived_at"] is not None and archived["id"] == made

    answers = [await client.call("POST", f"/active-clients/{made}/unarchive") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    back = {journey["id"]: journey["status"] for journey in await _journeys(client)}
    assert back == {own["id"]: "active_client", open_one["id"]: "in_progress"}
    assert await active_clients(client, "?status=archived") == []
    assert (await client.one(lead))["caller_type"] == "active_client"


async def test_an_active_client_is_changed(world: World) -> None:
    """What is given changes; another number is another caller; nothing given is a 400."""
    client = await a_client(world)
    lead, other = await a_lead(world, client.id), await a_lead(world, client.id, number="+15555550777")
    made = await agree(client, lead, await a_service(client))
    path = f"/active-clients/{made}"

    answer = await client.call("PUT", path, json={"client_phone": "555-555-0777", "client_email": None})

    changed = answer.json()["active_client"]
    assert (changed["client_name"], changed["client_phone"]) == ("Ada Caller", "555-555-0777")
    assert changed["client_email"] is None and len(changed["services"]) == 1
    assert (await client.one(other))["active_client_id"] == made
    assert (await client.one(lead))["active_client_id"] is None
    assert [(await client.call("PUT", path, json=body)).status_code for body in ({}, {"client_name": None})] == [
        400
    ] * 2


async def test_what_was_sold_is_forgotten_after_its_time(world: World) -> None:
    """After 90 days a sale tells when, not what, nor for how much; the funnel goes with the last one that told."""
    client, other = await a_client(world), await a_client(world)
    lead, two = await a_lead(world, client.id), await a_lead(world, client.id, number="+15555550777")
    old, young = await a_service(client), await a_service(client, "Whitening")
    made = await agree(client, lead, old, funnel_data=FUNNEL)
    await agree(client, lead, young, funnel_data=FUNNEL)
    gone = await agree(client, two, old, funnel_data={**FUNNEL, "caller_number": "+15555550777"})
    theirs = await agree(other, None, await a_service(other), client_name="Theirs")
    journey = await start(client, lead_call_id=two, symptoms=["Pain"])
    for table, age, column, value in (
        ("client_services", "agreed_date", "service_id", old),
        ("client_services", "agreed_date", "active_client_id", theirs),
        ("client_journeys", "created_at", "id", journey["id"]),
    ):
        await world.db.execute(
            f"update {table} set {age} = now() - interval '91 days' where {column} = $1", UUID(value)
        )

    answers = [(await client.call("POST", "/active-clients/redact-services")).json() for _ in range(2)]

    assert answers == [
        {"success": True, "services_redacted": 2, "journeys_redacted": 1, "redacted_count": 2},
        {"success": True, "services_redacted": 0, "journeys_redacted": 0, "redacted_count": 0},
    ]
    told = {active["id"]: active for active in await active_clients(client)}
    first, second = told[made]["services"]
    assert (first["service_id"], first["service_name"], first["agreed_price"]) == (None, None, None)
    assert first["redacted_at"] is not None and told[made]["agreed_date"] == first["agreed_date"]
    assert second["service_name"] == "Whitening" and told[made]["funnel_data"]["region"] == "Austin"
    assert told[gone]["funnel_data"] == {} and told[gone]["journey_symptoms"] == []
    left = await world.db.fetch(
        "select service_id, agreed_price from client_services where active_client_id = $1", UUID(gone)
    )
    assert [tuple(row) for row in left] == [(None, None)]
    assert (await active_clients(other))[0]["services"][0]["service_name"] == "Cleaning"  # not theirs to redact
    assert (await world.run_schedule("journeys_redact")).status_code == 204
    assert (await active_clients(other))[0]["services"][0]["service_name"] is None


async def test_a_first_redaction_over_years_goes_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows wait, each statement takes some; what the old server only marked is emptied, too."""
    from shared.areas.journeys import active_clients as use_cases

    monkeypatch.setattr(use_cases, "_BATCH", 3)
    client = await a_client(world)
    service, made = await a_service(client), None
    made = await agree(client, None, service, client_name="Ada")
    await world.db.execute(
        """insert into client_services (active_client_id, service_id, agreed_price, agreed_date, redacted_at)
           select $1, $2, 10, now() - interval '200 days', case when n % 2 = 0 then now() - interval '9 days' end
           from generate_series(1, 10) n""",
        UUID(made), UUID(service),
    )  # fmt: skip
    assert (await client.call("POST", "/active-clients/redact-services")).json()["services_redacted"] == 10
    (active,) = await active_clients(client)
    assert sorted(str(one["service_name"]) for one in active["services"]) == ["Cleaning", *["None"] * 10]


async def test_redaction_passes_over_who_is_being_changed(world: World) -> None:
    """Who agrees holds a client and waits for its sales: redaction may not hold these and wait for the client."""
    client = await a_client(world)
    made = UUID(await agree(client, None, await a_service(client), client_name="Ada"))
    await world.db.execute(
        "update client_services set agreed_date = now() - interval '91 days' where active_client_id = $1", made
    )
    redacted = []
    async with world.db.transaction() as tx:
        await tx.execute("select from active_clients where id = $1 for update", made)
        async with asyncio.timeout(10):
            redacted.append((await client.call("POST", "/active-clients/redact-services")).json()["services_redacted"])
    redacted.append((await client.call("POST", "/active-clients/redact-services")).json()["services_redacted"])
    assert redacted == [0, 1]


async def test_an_admin_acts_for_the_client(world: World) -> None:
    """Who acts for a client reads and changes the client's own."""
    client = await a_client(world)
    lead = await a_lead(world, client.id)
    acting = {**await world.sign_in(await world.user("admin")), "X-Acting-User": str(client.id)}
    service = await a_service(client)
    answer = await world.call(
        "POST",
        f"/api/hub/clients/{lead}/agree-to-service",
        json={"services": [{"service_id": service}]},
        headers=acting,
    )
    assert answer.status_code == 200
    assert [one["id"] for one in await active_clients(client)] == [answer.json()["active_client_id"]]
    (active,) = await active_clients(client)
    assert active["services"][0]["agreed_price"] is None


async def test_everything_at_once(world: World) -> None:
    """Agreements, archive, journeys and syncs of the same caller's calls wait for each other; nobody is turned away."""
    client = await leads_client(world)
    told = [client.add_call(ago=timedelta(hours=hour)) for hour in range(1, 17)]
    await client.sync()
    service = await a_service(client)
    made = await agree(client, str(told[3]["id"]), service)

    async def syncs() -> list[int]:
        statuses = []
        for turn in range(3):
            for call in told:
                call["city"] = f"Town {turn}"
            statuses.append((await client.call("POST", "/calls/sync", json={})).status_code)
        return statuses

    async def clicks(number: int) -> list[int]:
        lead = told[number * 5]["id"]
        answers = []
        for _ in range(3):
            body = {"services": [{"service_id": service}]}
            answers.append(await client.call("POST", f"/clients/{lead}/agree-to-service", json=body))
            answers.append(await client.call("POST", "/journeys", json={"lead_call_id": lead}))
            answers.append(await client.call("POST", f"/active-clients/{made}/archive"))
            answers.append(await client.call("POST", f"/active-clients/{made}/unarchive"))
        return [answer.status_code for answer in answers]

    statuses = await asyncio.gather(syncs(), *(clicks(number) for number in range(4)))

    assert {status for each in statuses for status in each} == {200}
    (active,) = await active_clients(client)
    assert active["id"] == made
    assert {call["active_client_id"] for call in await client.calls("?limit=100")} == {made}


async def test_a_sync_that_stores_calls_is_waited_for(world: World) -> None:
    """While one stores, nothing is locked that it may want next: so neither can wait for the other for ever."""
    client = await leads_client(world)
    told = client.add_call()
    await client.sync()
    made = await agree(client, str(told["id"]), await a_service(client))
    async with world.db.transaction() as storing:
        await storing.execute("update lead_syncs set deep_at = deep_at where owner_user_id = $1", client.id)
        click = asyncio.create_task(client.call("POST", f"/active-clients/{made}/archive"))
        done, _ = await asyncio.wait([click], timeout=0.3)
        assert not done
        locked = await storing.fetch("select from call_logs where owner_user_id = $1 for update nowait", client.id)
        assert len(locked) == 1
    assert (await click).status_code == 200
    assert (await client.one(told["id"]))["caller_type"] == "returning_customer"


async def test_a_link_by_hand_follows_the_archive(world: World) -> None:
    """A call without a usable number is its client's by hand; what the caller is follows the client all the same."""
    client = await a_client(world)
    lead = await a_lead(world, client.id, number="anonymous")
    made = await agree(client, lead, await a_service(client))
    seen = []
    for way in ("archive", "unarchive"):
        await client.call("POST", f"/active-clients/{made}/{way}")
        seen.append((await client.one(lead))["caller_type"])
    assert seen == ["returning_customer", "active_client"]


# Tenancy


async def test_another_clients_rows_do_not_exist(world: World) -> None:
    """Every route with an id in its path answers another client 404, and changes nothing."""
    from shared import manifest

    mine, other = await a_client(world), await a_client(world)
    lead = await a_lead(world, mine.id)
    journey = await start(mine, lead_call_id=lead)
    service = await a_service(mine)
    made = await agree(mine, lead, service)
    values = {
        "journey_id": journey["id"], "step_id": journey["steps"][0]["id"], "client_id": made, "lead_id": lead,
        "service_id": service,
    }  # fmt: skip
    bodies = {
        "journeys_update": {"paused": True}, "journeys_set_status": {"status": "won"},
        "journeys_add_step": {"label": "x"}, "journeys_update_step": {"label": "x"},
        "journeys_add_note": {"body": "x"}, "journeys_update_active_client": {"client_name": "x"},
        "journeys_agree_to_service": {"services": [{"service_id": service}]},
        "clients_update_service": {"name": "x"},
    }  # fmt: skip
    owned = [f for f in manifest.JOURNEYS if f.trigger == "http"]
    owned += [manifest.BY_NAME[name] for name in ("clients_update_service", "clients_retire_service")]
    before = await _everything(world, mine.id)
    tried = 0
    for function in owned:
        for route in (route for route in function.routes if "{" in route):
            method, path = route.split()
            for name, value in values.items():
                path = path.replace("{" + name + "}", value)
            answer = await world.call(method, path, headers=other.headers, json=bodies.get(function.name, {}))
            assert answer.status_code == 404, f"{route}: {answer.text}"
            tried += 1
    assert tried == 17
    for body in ({"active_client_id": made}, {"service_id": service}, {"parent_journey_id": journey["id"]}):
        answer = await other.call("POST", "/journeys", json={"client_name": "x", **body})
        assert answer.status_code == 404
    assert await _everything(world, mine.id) == before


async def _journeys(client: Client, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.call("GET", f"/journeys{query}")).json()["journeys"]
    return found


async def _everything(world: World, owner: UUID) -> str:
    tables = ("call_logs", "client_journeys", "active_clients")
    queries = [f"select * from {table} where owner_user_id = $1 order by id" for table in tables]
    queries.append("select * from services where user_id = $1 order by id")
    queries += [
        f"select s.* from {table} s join client_journeys j on j.id = journey_id where owner_user_id = $1 order by s.id"
        for table in ("client_journey_steps", "client_journey_notes")
    ]
    queries.append(
        "select s.* from client_services s join active_clients a on a.id = s.active_client_id"
        " where a.owner_user_id = $1 order by s.id"
    )
    rows = [dict(row) for query in queries for row in await world.db.fetch(query, owner)]
    return json.dumps(rows, default=str)
