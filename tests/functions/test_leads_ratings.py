"""Stars in the dashboard and in CTM: each reaches the other, and none is lost or wiped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from emulators.faults import Fault
from shared import manifest
from shared.errors import TryLater, vendor_error
from shared.integrations.ctm.client import CtmClient, Sale
from tests.functions.conftest import World
from tests.functions.leads import Client, a_client, outside_of, pushes

BOOKING = "Hello, I would like to book an appointment for tomorrow."


async def _rate(client: Client, call: dict[str, Any], score: int) -> None:
    answer = await client.call("POST", f"/calls/{call['id']}/score", json={"score": score})
    assert (answer.status_code, answer.json()["rating"]) == (200, score), answer.text


@pytest.mark.parametrize(
    ("score", "category"), [(1, "spam"), (2, "not_a_fit"), (3, "warm"), (4, "very_good"), (5, "converted")]
)
async def test_a_rating_reaches_ctm_and_decides_the_category(world: World, score: int, category: str) -> None:
    """The dashboard's stars are a sale at CTM, a conversion only with five; the category follows at once."""
    client = await a_client(world)
    told = client.add_call(sale={"score": 0, "value": 250.0, "sale_date": "2026-01-31"})
    await client.sync()

    await _rate(client, told, score)
    call = await client.one(told["id"])
    posted = await client.post_ratings()

    assert posted == [204]
    assert (call["rating"], call["score"], call["category"]) == (score, score, category)
    assert told["sale"] == {
        "score": score, "conversion": int(score == 5), "value": 250.0, "sale_date": "2026-01-31"
    }  # fmt: skip
    assert (await client.sync())["updatedCalls"] == 0
    assert (await client.one(told["id"]))["category"] == category


async def test_a_rating_in_ctm_reaches_the_dashboard(world: World) -> None:
    """CTM's stars are the call's score and decide its category, also days later; taken away there, they are gone."""
    client = await a_client(world)
    told = client.add_call(ago=timedelta(days=3), transcript=BOOKING, score=5)
    client.add_call()
    await client.sync()
    assert await _state(client, told) == (5, "converted")

    told["score"] = 2
    assert (await client.sync())["updatedCalls"] == 1
    assert await _state(client, told) == (2, "not_a_fit")

    told["score"] = 0
    await client.sync()
    assert await _state(client, told) == (0, "very_good")  # what the AI had found
    assert pushes(world) == []


async def test_a_cleared_rating_is_cleared_in_ctm(world: World) -> None:
    """Clearing posts zero stars, so that no sync brings the rating back."""
    client = await a_client(world)
    told = client.add_call(transcript=BOOKING)
    await client.sync()
    await _rate(client, told, 5)
    await client.post_ratings()

    answer = await client.call("DELETE", f"/calls/{told['id']}/score")
    await client.post_ratings()

    assert answer.status_code == 200
    assert (told["sale"]["score"], told["sale"]["conversion"]) == (0, 0)
    await client.sync()
    assert await _state(client, told) == (0, "very_good")


async def test_an_outage_of_ctm_delays_a_rating_and_never_wipes_it(world: World) -> None:
    """While CTM is out, syncs that read the old stars leave ours alone; when it is back, it gets them."""
    client = await a_client(world)
    told = client.add_call()
    await client.sync()
    await _rate(client, told, 4)
    world.faults.put("ctm", Fault(status=500))
    assert await client.post_ratings() == [204]
    [probe] = pushes(world)
    world.faults.clear("ctm")
    await _forget_pause(world, client)

    await client.sync()
    assert await _state(client, told) == (4, "very_good")
    assert (await world.deliver_task("leads_push_rating", probe["payload"])).status_code == 204
    assert told["sale"]["score"] == 4


async def test_one_probe_asks_for_all_that_wait(world: World) -> None:
    """However many ratings an outage holds up, one task asks again; when CTM answers it, all the others follow."""
    client = await a_client(world)
    calls = [client.add_call() for _ in range(4)]
    await client.sync()
    for told in calls:
        await _rate(client, told, 5)
    world.faults.put("ctm", Fault(status=500))
    await client.post_ratings()
    for _ in range(3):
        [probe] = pushes(world)
        assert probe["payload"]["call_id"] is None
        assert await client.post_ratings() == [204]
    world.faults.clear("ctm")
    await _forget_pause(world, client)

    assert await client.post_ratings() == [204]
    assert [told["sale"]["score"] for told in calls if told["sale"]] == [5]
    assert len(pushes(world)) == 3
    await client.post_ratings()
    assert [told["sale"]["score"] for told in calls] == [5] * 4
    assert pushes(world) == []


async def test_a_rating_waits_seconds_after_an_outage(world: World) -> None:
    """However long CTM was out, it is asked again every few seconds: no queue's back-off doubles the wait."""
    client = await a_client(world)
    told = client.add_call()
    await client.sync()
    await _rate(client, told, 5)
    world.faults.put("ctm", Fault(status=500))
    waits = []
    for _ in range(8):
        await _forget_pause(world, client)
        assert await client.post_ratings() == [204]
        [probe] = pushes(world)
        waits.append((probe["not_before"] - datetime.now(UTC)).total_seconds())
    assert waits == pytest.approx([2, 4, 8, 10, 10, 10, 10, 10], abs=1)
    probes = await world.outbox("leads_push_rating", owner_id=str(client.id), call_id=None)
    assert len(probes) == 8


@pytest.mark.parametrize("status", [429, 503])
async def test_the_pause_that_ctm_names_is_kept(world: World, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry-After decides when a rating is posted again, and a later failure does not shorten it."""
    client = await a_client(world)
    told, other = client.add_call(), client.add_call()
    await client.sync()
    await _rate(client, told, 5)
    _refuse_with(monkeypatch, status, "120")

    await client.post_ratings()
    monkeypatch.undo()
    [probe] = pushes(world)
    assert (probe["not_before"] - datetime.now(UTC)).total_seconds() == pytest.approx(120, abs=2)
    pausing = await outside_of(world).pauses.begin(client.account.number, TryLater("ctm", status=500))
    assert pausing.pause_s == pytest.approx(120, abs=2)

    await _rate(client, other, 1)
    world.faults.put("ctm", Fault(status=400))  # whoever asks anyway, is told so
    assert await client.post_ratings() == [204, 204]
    assert len(pushes(world)) == 1


async def test_a_probe_that_comes_early_goes_on(world: World) -> None:
    """Cloud Tasks' clock is not the database's: a probe before its time still has the next one sent."""
    client = await a_client(world)
    told = client.add_call()
    await client.sync()
    await _rate(client, told, 5)
    world.faults.put("ctm", Fault(status=500))
    await client.post_ratings()
    due = await world.db.fetchval("select rating_retry_at from lead_syncs where owner_user_id = $1", client.id)
    assert due > datetime.now(UTC)

    assert await client.post_ratings() == [204]

    assert len(pushes(world)) == 1


async def test_a_rating_that_ctm_refuses_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe meets a refusal: the others follow all the same, and the refused one is parked with its reason."""
    client = await a_client(world)
    calls = [client.add_call() for _ in range(2)]
    await client.sync()
    for told in calls:
        await _rate(client, told, 5)
    world.sent.tasks.clear()
    world.faults.put("ctm", Fault(status=422, times=1))

    probe = {"owner_id": str(client.id), "call_id": None}
    assert (await world.deliver_task("leads_push_rating", probe)).status_code == 204
    assert len(pushes(world)) == 2
    await client.post_ratings()

    assert [told["sale"]["score"] for told in calls] == [5, 5]


async def test_a_call_that_ctm_no_longer_has_is_rated_here_alone(world: World) -> None:
    """There is nothing to post to: no work is parked, and no sync sends it again and again."""
    client = await a_client(world)
    told, _ = client.add_call(), client.add_call()
    await client.sync()
    client.account.calls.remove(told)
    await _rate(client, told, 4)

    assert await client.post_ratings() == [204]
    await _age_ratings(world, client)
    await client.sync()

    assert pushes(world) == []
    assert await _state(client, told) == (4, "very_good")
    assert await world.db.fetchval("select count(*) from outbox where dead_at is not null and payload @> $1",
                                   {"owner_id": str(client.id)}) == 0  # fmt: skip


async def test_a_success_that_is_none_is_tried_again(world: World) -> None:
    """CTM answers 200 with an error in it: the rating still waits."""
    client = await a_client(world)
    told = client.add_call()
    await client.sync()
    await _rate(client, told, 4)
    world.faults.put("ctm", Fault(status=200))

    assert await client.post_ratings() == [204]

    assert len(pushes(world)) == 1
    assert (await client.one(told["id"]))["rating_pending"] is True


async def test_an_answer_that_got_lost_is_posted_again_to_the_same_effect(world: World) -> None:
    """CTM took the stars but we never heard: the next try finds them there."""
    client = await a_client(world)
    told = client.add_call()
    await client.sync()
    await _rate(client, told, 3)
    told["sale"] = {"score": 3}  # the first try's effect

    assert await client.post_ratings() == [204]
    assert await world.db.fetchval(
        "select not rating_pending and ctm_score = 3 from call_logs where owner_user_id = $1", client.id
    )


async def test_given_up_work_is_enqueued_again_by_a_sync(world: World) -> None:
    """A rating whose work was parked or lost an hour ago is on its way again after the next sync."""
    client = await a_client(world)
    told = client.add_call()
    await client.sync()
    await _rate(client, told, 4)
    world.sent.tasks.clear()
    await _age_ratings(world, client)

    await client.sync()
    await client.sync()

    assert await client.post_ratings() == [204]
    assert told["sale"]["score"] == 4


async def test_a_reading_older_than_our_post_clears_nothing(world: World) -> None:
    """A page read before we rated, stored after CTM had our stars, is known to be stale."""
    from shared.areas.leads import rules, store
    from shared.integrations.ctm.records import read_call

    client = await a_client(world)
    told = client.add_call()
    await client.sync()
    read_at, stale = await store.now(world.db), read_call(told)
    await _rate(client, told, 5)
    await client.post_ratings()

    assert stale is not None
    async with world.db.transaction() as tx:
        known = await store.known(tx, client.id, [stale.id])
        merged = rules.merge(known[stale.id], stale, read_at)

    assert merged is None
    fresh = rules.merge(known[stale.id], stale, datetime.now(UTC) + timedelta(seconds=1))
    assert fresh is not None and fresh.rating.score == 0


@pytest.mark.parametrize(
    ("words", "stars", "category"),
    [
        (BOOKING, 4, "very_good"),
        ("How much is a consultation?", 3, "warm"),
        ("Please call me back, I am at home.", 3, "needs_attention"),
        ("Sorry, wrong number.", 2, "not_a_fit"),
        ("We offer SEO to the first page of Google.", 1, "spam"),
        ("Are you hiring? I saw the job.", 0, "applicant"),
        ("Is this the right street?", 0, "neutral"),
    ],
)
async def test_auto_stars_follow_the_table(world: World, words: str, stars: int, category: str) -> None:
    """With auto-star on, a label gives the seeds' stars and posts them; never five."""
    client = await a_client(world, auto_star=True)
    told = client.add_call(transcript=words)

    await client.sync()
    await client.post_ratings()

    assert await _state(client, told) == (stars, category)
    assert (told["sale"] or {}).get("score", 0) == stars


async def test_a_persons_rating_is_in_no_queue_with_automatic_stars(world: World) -> None:
    """However many automatic stars wait, a person's rating waits behind none, also when a probe chooses."""
    client = await a_client(world, auto_star=True)
    calls = [client.add_call(transcript=f"{BOOKING} {number}") for number in range(3)]
    await client.sync()
    await _rate(client, calls[0], 5)

    functions = [task["function"] for task in pushes(world)]
    assert functions == ["leads_push_auto_star"] * 3 + ["leads_push_rating"]
    assert len({manifest.BY_NAME[name].queue for name in functions}) == 2
    probe = {"owner_id": str(client.id), "call_id": None}
    assert (await world.deliver_task("leads_push_rating", probe)).status_code == 204
    assert [(told["sale"] or {}).get("score") for told in calls] == [5, None, None]


async def test_auto_star_is_off_unless_switched_on(world: World) -> None:
    """A label alone gives no stars."""
    client = await a_client(world)
    told = client.add_call(transcript=BOOKING)
    await client.sync()
    assert await client.post_ratings() == []
    assert await _state(client, told) == (0, "very_good")


async def test_an_automatic_star_gives_way_to_a_person_in_ctm(world: World) -> None:
    """Whether the sync or the post notices first, what a person set in CTM stays."""
    client = await a_client(world, auto_star=True)
    noticed_by_post, noticed_by_sync = client.add_call(transcript=BOOKING), client.add_call(transcript=BOOKING)
    await client.sync()
    noticed_by_post["score"] = noticed_by_sync["score"] = 1
    first, second = pushes(world)
    if first["payload"]["call_id"] != str(noticed_by_post["id"]):
        first, second = second, first

    assert (await world.deliver_task("leads_push_rating", first["payload"])).status_code == 204
    await client.sync()
    assert (await world.deliver_task("leads_push_rating", second["payload"])).status_code == 204

    for told in (noticed_by_post, noticed_by_sync):
        assert told["sale"] is None
        assert await _state(client, told) == (1, "spam")


async def test_a_chosen_category_stays(world: World) -> None:
    """A category that a person chose survives syncs, late transcripts and the AI; a later rating changes it."""
    client = await a_client(world)
    told = client.add_call(duration=0)
    await client.sync()
    path = f"/calls/{told['id']}/category"
    assert (await client.call("PUT", path, json={"category": "applicant"})).status_code == 200

    told["transcript"] = BOOKING
    await client.sync()
    call = await client.one(told["id"])
    assert (call["category"], call["classification"]) == ("applicant", "very_good")
    told["score"] = 1
    await client.sync()
    assert await _state(client, told) == (1, "spam")


async def test_without_ctm_a_rating_is_kept_here(world: World) -> None:
    """A call of a client whose connection was removed is rated without any work for CTM."""
    client = await a_client(world)
    told = client.add_call()
    await client.sync()
    await world.db.execute("update client_profiles set ctm_api_key = null where user_id = $1", client.id)
    await _rate(client, told, 4)
    assert await client.post_ratings() == []
    assert await _state(client, told) == (4, "very_good")


async def test_a_rating_given_while_ctm_was_disconnected_reaches_it_later(world: World) -> None:
    """Ours changed and CTM's did not: after the connection is back, both have ours."""
    client = await a_client(world)
    told = client.add_call()
    await client.sync()
    key = await world.db.fetchval("select ctm_api_key from client_profiles where user_id = $1", client.id)
    await world.db.execute("update client_profiles set ctm_api_key = null where user_id = $1", client.id)
    await _rate(client, told, 4)
    await world.db.execute("update client_profiles set ctm_api_key = $2 where user_id = $1", client.id, key)
    await _age_ratings(world, client)

    await client.sync()
    assert await client.post_ratings() == [204]

    assert told["sale"]["score"] == 4
    assert await _state(client, told) == (4, "very_good")


async def test_a_rating_of_a_client_disconnected_meanwhile_is_no_failure(world: World) -> None:
    """Its work ends quietly, and the rating waits for a connection."""
    client = await a_client(world)
    told = client.add_call()
    await client.sync()
    await _rate(client, told, 4)
    await world.db.execute("update client_profiles set ctm_api_key = null where user_id = $1", client.id)

    assert await client.post_ratings() == [204]

    assert (await client.one(told["id"]))["rating_pending"] is True
    assert await world.outbox("leads_push_rating", owner_id=str(client.id)) and not await world.db.fetchval(
        "select count(*) from outbox where dead_at is not null and payload @> $1", {"owner_id": str(client.id)}
    )


@pytest.mark.parametrize("score", [0, 6, 3.5, "4", None, True])
async def test_a_rating_is_one_to_five(world: World, score: Any) -> None:
    """Anything else is a 400 that names the field."""
    client = await a_client(world)
    told = client.add_call()
    await client.sync()
    answer = await client.call("POST", f"/calls/{told['id']}/score", json={"score": score})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "score")


async def test_a_lead_that_needs_attention_is_told_once(world: World) -> None:
    """The client is notified when the AI first finds it; later syncs and a reclassification stay silent."""
    client = await a_client(world)
    told = client.add_call(transcript="Please call me back, I am at home.")
    await client.sync()
    await client.sync()
    admin = await world.sign_in(await world.user("admin"))
    again = await world.call("POST", f"/api/hub/clients/{client.id}/reclassify-leads", headers=admin, json={})

    assert again.status_code == 200, again.text
    [row] = await world.db.fetch("select * from notifications where user_id = $1", client.id)
    assert (row["link_url"], row["meta"]["call_id"]) == ("/portal?tab=leads", str(told["id"]))


async def test_reclassification_asks_again_and_overwrites_no_person(world: World) -> None:
    """Rated and chosen categories stay; a failed try changes nothing, is retried by message, and can be watched."""
    client = await a_client(world)
    rated, chosen, plain = (client.add_call(transcript=f"{BOOKING} {n}") for n in range(3))
    silent = client.add_call(duration=0)
    await client.sync()
    await _rate(client, rated, 1)
    await client.call("PUT", f"/calls/{chosen['id']}/category", json={"category": "spam"})
    admin = await world.sign_in(await world.user("admin"))
    path = f"/api/hub/clients/{client.id}/reclassify-leads"
    world.vertex.configure({"answers": {BOOKING: {"status": 503}}})
    failed = (await world.call("POST", path, headers=admin, json={"limit": 10})).json()
    progress = (await world.call("GET", path, headers=admin)).json()
    kept = [await _state(client, call) for call in (rated, chosen, plain, silent)]

    world.vertex.configure({"answers": {BOOKING: '{"category": "neutral", "summary": "New."}'}})
    for message in [m for m in world.sent.messages if m["topic"] == "call-ingested"]:
        assert (await world.deliver_event("leads_classify", message["payload"])).status_code == 204
    world.vertex.configure({"answers": {}})

    assert (failed["updated"], failed["errors"], failed["scanned"], failed["queued"]) == (0, 3, 3, 3)
    assert (progress["waiting"], progress["failing"], progress["finished"]) == (3, 3, False)
    assert kept == [(1, "spam"), (0, "spam"), (0, "very_good"), (0, "unanswered")]
    assert await _state(client, rated) == (1, "spam")
    assert await _state(client, chosen) == (0, "spam")
    call = await client.one(plain["id"])
    assert (call["category"], call["classification_summary"]) == ("neutral", "New.")
    assert "reclassified_at" in call
    assert (await world.call("GET", path, headers=admin)).json()["finished"] is True
    unforced = (await world.call("POST", path, headers=admin, json={"force": False})).json()
    assert (unforced["scanned"], unforced["skipped"], unforced["updated"]) == (3, 3, 0)
    for nobody in (uuid4(), "x"):
        path = f"/api/hub/clients/{nobody}/reclassify-leads"
        assert (await world.call("POST", path, headers=admin, json={})).status_code == 404


async def _state(client: Client, told: dict[str, Any]) -> tuple[int, str]:
    call = await client.one(told["id"])
    return call["rating"], call["category"]


def _refuse_with(monkeypatch: pytest.MonkeyPatch, status: int, retry_after: str) -> None:
    """CTM answers every question about a call so."""

    async def refuse(_ctm: CtmClient, _call_id: str) -> Sale:
        raise vendor_error("ctm", status, retry_after=retry_after)

    monkeypatch.setattr(CtmClient, "sale", refuse)


async def _age_ratings(world: World, client: Client) -> None:
    await world.db.execute(
        "update call_logs set rating_touched_at = now() - interval '2 h' where owner_user_id = $1", client.id
    )


async def _forget_pause(world: World, client: Client) -> None:
    await world.services.firestore.delete("vendor_pauses", f"ctm:{client.account.number}")
