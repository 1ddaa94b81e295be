"""Reading reviews from Google, against its stand-in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from emulators.faults import Fault
from emulators.vendors.google import Google
from shared.errors import Reconnect
from tests.functions.conftest import World
from tests.functions.reviews import QUOTA_PAUSE, Client, a_client, given_client, given_google  # noqa: F401  fixtures


async def deliver_due(world: World) -> list[int]:
    due = [one for one in world.sent.messages if one["topic"] == "reviews-sync-due"]
    world.sent.messages[:] = [one for one in world.sent.messages if one not in due]
    return [(await world.deliver_event("reviews_sync", one["payload"])).status_code for one in due]


async def test_a_sync_reads_every_page(client: Client) -> None:
    """Sixty reviews are two of Google's pages; all are stored once, and counted in the profile."""
    for index in range(60):
        client.at_google(rating=4 if index % 2 else 5, ago=timedelta(days=index))
    done = await client.sync()
    assert (done["success"], done["totalSynced"], done["newReviews"], done["errors"]) == (True, 60, 60, [])
    again = await client.sync(forceFullSync=True)
    assert (again["newReviews"], again["updatedReviews"]) == (0, 0)
    profile = await client.world.db.fetchrow("select * from client_profiles where user_id = $1", client.id)
    assert (profile["reviews_enabled"], profile["reviews_total_count"]) == (True, 60)
    assert (float(profile["reviews_average_rating"]), profile["reviews_pending_response_count"]) == (4.5, 60)


async def test_a_later_sync_reads_only_what_changed(client: Client) -> None:
    """With hundreds of old reviews, the second sync asks for one page."""
    for index in range(120):
        client.at_google(ago=timedelta(days=index + 1))
    await client.sync()
    client.at_google(comment="A new one")
    assert (await client.sync())["totalSynced"] == 50


async def test_a_review_is_stored_as_google_has_it(client: Client) -> None:
    """Every field has its place; a rating without words has an empty text."""
    review = client.at_google(rating=2, reviewer="Bo", comment="", reviewReply="Sorry!")
    review["reviewer"]["profilePhotoUrl"] = "https://example.com/bo.png"
    await client.sync()
    stored = await client.review(review)
    assert (stored["platform_review_id"], stored["rating"], stored["review_text"]) == (review["name"], 2, "")
    assert (stored["reviewer_name"], stored["reviewer_photo_url"]) == ("Bo", "https://example.com/bo.png")
    assert (stored["has_response"], stored["response_text"], stored["state"]) == (True, "Sorry!", "responded")
    assert (stored["review_created_at"], stored["raw_data"]) == (review["createTime"], review)
    assert (stored["location_name"], stored["business_name"]) == (f"Main Street {client.account[:-1]}", "Harbor Dental")


async def test_a_bad_review_asks_for_attention(client: Client) -> None:
    """Stars decide the priority; few stars, or a word of the client's, flag it, and the reason says which."""
    await client.call("PUT", "/settings", json={"auto_flag_threshold": 2, "auto_flag_keywords": ["lawyer"]})
    bad, words, good = (
        client.at_google(rating=1),
        client.at_google(rating=5, comment="My LAWYER loves it"),
        client.at_google(rating=5),
    )
    await client.sync()
    shown = [await client.review(one) for one in (bad, words, good)]
    assert [one["priority"] for one in shown] == ["urgent", "low", "low"]
    assert [one["flag_reason"] for one in shown] == ["1 of 5 stars", "mentions “lawyer”", None]
    assert [one["state"] for one in shown] == ["flagged", "flagged", "pending"]


async def test_an_edited_review_is_updated(client: Client) -> None:
    """Its author changed words and stars: ours follow, what people noted stays, and the mood is judged anew."""
    review, stored = await client.have(rating=5)
    await client.call("PUT", f"/{stored['id']}/notes", json={"notes": "call her"})
    await client.work()
    client.edit(review, comment="It was awful after all", starRating="ONE")
    assert (await client.sync())["updatedReviews"] == 1
    await client.work()
    shown = await client.review(review)
    assert (shown["rating"], shown["review_text"], shown["internal_notes"]) == (1, "It was awful after all", "call her")
    assert shown["sentiment_label"] == "negative"


async def test_a_touched_review_is_still_looked_at(client: Client) -> None:
    """Google gives a new review another time before the rules have seen it: they see it as it is now, once."""
    await client.rule(actionType="flag", name="All")
    review, _ = await client.news()
    client.edit(review)
    await client.sync()
    await client.work()
    assert (await client.review(review))["flag_reason"] == "All"
    assert len(await client.logs()) == 1


async def test_a_removed_review_disappears(client: Client) -> None:
    """Google counts one less, so everything is read anew, and what is gone is shown no more; one that comes back is."""
    kept = client.at_google(ago=timedelta(days=3))
    gone, _ = await client.have(ago=timedelta(days=5))
    del client.google.reviews[gone["name"]]
    await client.full_read_was_long_ago()
    await client.sync()
    assert [one["platform_review_id"] for one in await client.reviews()] == [kept["name"]]
    client.google.reviews[gone["name"]] = gone
    client.edit(gone)
    await client.sync()
    assert len(await client.reviews()) == 2


async def test_a_review_without_stars_stops_nothing(client: Client) -> None:
    """STAR_RATING_UNSPECIFIED cannot be stored; the others of its page are."""
    odd = client.at_google()
    odd["starRating"] = "STAR_RATING_UNSPECIFIED"
    client.at_google()
    done = await client.sync()
    assert (done["totalSynced"], done["newReviews"], done["errors"]) == (1, 1, [])


async def test_two_syncs_never_overlap(client: Client) -> None:
    """Of two at once one reads, the other says that a sync is running; every review is there once."""
    client.at_google()
    client.world.faults.put("google", Fault(latency_ms=150))
    both = await asyncio.gather(client.call("POST", "/sync", json={}), client.call("POST", "/sync", json={}))
    bodies = [answer.json() for answer in both]
    assert sorted(body["newReviews"] for body in bodies) == [0, 1]
    assert [error["error"] for body in bodies for error in body["errors"]] == [
        "A sync of this location is already running."
    ]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_google_in_trouble_loses_nothing(client: Client, status: int) -> None:
    """The person is told; a message goes on by itself, and what was stored stays."""
    await client.have()
    client.at_google(rating=1)
    client.world.faults.put("google", Fault(status=status))
    answer = (await client.call("POST", "/sync", json={})).json()
    assert answer["success"] is True
    assert "tried again by itself" in answer["errors"][0]["error"]
    client.world.faults.clear("google")
    assert bool(await client.world.services.firestore.get(*QUOTA_PAUSE)) == (status == 429)
    await client.world.services.firestore.delete(*QUOTA_PAUSE)
    await deliver_due(client.world)
    assert len(await client.reviews()) == 2


async def test_a_quota_that_is_spent_pauses_everybody(world: World, google: Google) -> None:
    """Google's quota is the project's: after a 429 nobody calls it before its Retry-After is over."""
    one, other = await a_client(world, google), await a_client(world, google)
    other.at_google()
    await world.services.firestore.put(*QUOTA_PAUSE, {"until": 2**40}, lifetime=timedelta(minutes=1))
    answers = [(await who.call("POST", "/sync", json={})).json() for who in (one, other)]
    assert all(answer["errors"] for answer in answers)
    assert await other.reviews() == []


async def test_an_expired_token_is_renewed_on_the_way(world: World, google: Google) -> None:
    """A token that ended is renewed before the first call, and one that Google refuses in the middle of it."""
    late = await a_client(world, google, lasts=timedelta(minutes=-1))
    late.at_google()
    assert (await late.sync())["newReviews"] == 1
    google.expire_access_tokens()
    late.at_google()
    assert (await late.sync())["newReviews"] == 1


async def test_a_withdrawn_consent_asks_to_reconnect(client: Client) -> None:
    """The person has removed our access: 409 with requiresReconnect, and the connection is broken."""
    client.google.withdraw(client.person)
    answer = await client.call("POST", "/sync", json={})
    assert (answer.status_code, answer.json()["requiresReconnect"]) == (409, True)
    status = (await client.call("GET", "/connection-status")).json()
    assert (status["isConnected"], status["connection"]["hasValidToken"]) == (False, False)
    again = await client.call("POST", "/sync", json={})
    assert (again.status_code, again.json()["requiresReconnect"]) == (409, True)


async def test_one_locations_failure_is_not_the_others(client: Client) -> None:
    """A location that Google does not know is named among the errors; the other one is read."""
    client.at_google()
    await client.world.db.execute(
        """insert into oauth_resources (
               client_id, oauth_connection_id, provider, resource_type, resource_id, resource_name)
           values ($1, $2, 'google', 'google_location', '999', 'Nowhere')""",
        client.id, client.connection_id,
    )  # fmt: skip
    done = await client.sync()
    assert done["newReviews"] == 1
    assert done["errors"] == [
        {"location": "Nowhere", "error": "Google does not know this location. Please choose it again."}
    ]


async def test_nobody_without_a_location_is_sent_away(client: Client) -> None:
    """A connection without a chosen location is a message, not an error."""
    await client.world.db.execute("update oauth_resources set is_enabled = false where client_id = $1", client.id)
    done = await client.sync()
    assert (done["success"], done["message"][:23]) == (True, "No location is chosen. ")


async def test_a_killed_full_read_goes_on_at_its_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Google fails after the first page of three; the next run begins with the second."""
    for index in range(130):
        client.at_google(ago=timedelta(days=index))
    asked: list[str] = []
    plain = type(client.world.services.google_business("")).reviews

    async def reviews(self: Any, location: str, page_token: str = "") -> Any:
        asked.append(page_token)
        if len(asked) == 2:
            raise RuntimeError("killed")
        return await plain(self, location, page_token)

    monkeypatch.setattr("shared.integrations.google_business.client.GoogleBusiness.reviews", reviews)
    assert (await client.call("POST", "/sync", json={})).status_code == 500
    done = await client.sync()
    assert done["newReviews"] == 80
    assert asked[1] == asked[2] != ""
    assert len(await client.reviews("?limit=100&page=2")) == 30


async def test_the_schedule_asks_for_each_location_in_its_time(client: Client) -> None:
    """Every location once per interval; never where automatic syncs are switched off."""
    client.at_google()
    world = client.world
    assert (await world.run_schedule("reviews_poll_google")).status_code == 204
    mine = [one for one in world.sent.messages if one["payload"].get("client_id") == str(client.id)]
    assert [one["payload"]["location_id"] for one in mine] == [str(client.location_id)]
    await world.deliver_event("reviews_sync", mine[0]["payload"])
    assert len(await client.reviews()) == 1

    async def asked() -> int:
        world.sent.messages.clear()
        await world.run_schedule("reviews_poll_google")
        return sum(one["payload"].get("client_id") == str(client.id) for one in world.sent.messages)

    assert await asked() == 0
    await world.db.execute(
        "update review_syncs set asked_at = asked_at - interval '61 minutes' where client_id = $1", client.id
    )
    await client.call("PUT", "/settings", json={"auto_sync_enabled": False})
    assert await asked() == 0
    await client.call("PUT", "/settings", json={"auto_sync_enabled": True})
    assert await asked() == 1


async def test_history_is_no_news(client: Client) -> None:
    """What the first sync brings is judged, but no rule acts and nobody is told; what comes after is news."""
    await client.rule(actionType="flag", name="All")
    old, _ = await client.have(rating=5)
    await client.work()
    shown = await client.review(old)
    assert (shown["is_flagged"], shown["sentiment_label"], await client.logs()) == (False, "positive", [])
    new, _ = await client.have(rating=5)
    await client.work()
    assert (await client.review(new))["flag_reason"] == "All"
    assert await client.world.db.fetchval("select count(*) from notifications where user_id = $1", client.id) == 1


async def test_our_own_reply_is_not_forgotten_by_a_slow_page(client: Client) -> None:
    """Google's list may lag behind a reply that was just posted: ours stays."""
    review, stored = await client.have()
    assert (await client.call("POST", f"/{stored['id']}/respond", json={"response": "Thank you!"})).status_code == 200
    review.pop("reviewReply")
    client.edit(review)
    await client.sync()
    assert (await client.review(review))["response_text"] == "Thank you!"
    await client.world.db.execute(
        "update reviews set replied_at = replied_at - interval '1 hour' where client_id = $1", client.id
    )
    client.edit(review)
    await client.sync()
    assert (await client.review(review))["has_response"] is False


async def test_locations_are_listed_as_google_has_them(client: Client) -> None:
    """The picker sees title and account; nothing is stored."""
    answer = (await client.call("POST", "/locations/refresh")).json()
    [found] = answer["locations"]
    assert (found["name"], found["accountId"]) == (f"locations/{client.number}", f"accounts/{client.account}")
    listed = (await client.call("GET", "/locations")).json()["locations"]
    assert [(one["id"], one["connection_active"]) for one in listed] == [(str(client.location_id), True)]
    status = (await client.call("GET", "/connection-status")).json()
    assert (status["isConnected"], status["totalLocations"], status["enabledLocations"]) == (True, 1, 1)


async def test_what_cannot_be_read_counts_as_no_sync(world: World, client: Client) -> None:
    """Without a connection the profile is not said to be synced; the settings say why, until a sync works again."""
    stranger = await world.client()
    headers = await world.sign_in(stranger)
    assert (await world.call("POST", "/api/reviews/sync", json={}, headers=headers)).status_code == 409
    profile = await world.db.fetchrow("select * from client_profiles where user_id = $1", stranger)
    assert profile is None or (profile["reviews_enabled"], profile["reviews_last_sync_at"]) == (False, None)

    async def error_of(headers: dict[str, str]) -> Any:
        return (await world.call("GET", "/api/reviews/settings", headers=headers)).json()["settings"]["sync_error"]

    assert "not connected" in await error_of(headers)
    client.world.faults.put("google", Fault(status=403))
    assert (await client.call("POST", "/sync", json={})).status_code == 409
    client.world.faults.clear("google")
    assert "refuses access" in await error_of(client.headers)
    await client.sync()
    assert await error_of(client.headers) is None


async def test_looking_for_removed_reviews_gets_to_all(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reviews that are there and yet on no page (Google has taken their stars) do not hide those that are gone."""
    monkeypatch.setattr("shared.areas.reviews.sync._CHECKED_AT_ONCE", 2)
    odd = [client.at_google(), client.at_google()]
    gone = client.at_google()
    await client.sync()
    await client.world.db.execute(
        "update reviews set last_synced_at = last_synced_at + interval '1 ms' where platform_review_id = $1",
        gone["name"],
    )
    for review in odd:
        review["starRating"] = "STAR_RATING_UNSPECIFIED"
    del client.google.reviews[gone["name"]]
    await client.sync(forceFullSync=True)
    assert len(await client.reviews()) == 3
    await client.sync(forceFullSync=True)
    assert {one["platform_review_id"] for one in await client.reviews()} == {one["name"] for one in odd}


async def test_pages_in_a_circle_are_left(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that names itself as the next one is not read for ever."""
    client.at_google()
    asked: list[str] = []
    plain = type(client.world.services.google_business("")).reviews

    async def reviews(self: Any, location: str, page_token: str = "") -> Any:
        asked.append(page_token)
        return replace(await plain(self, location), next_token="again")

    monkeypatch.setattr("shared.integrations.google_business.client.GoogleBusiness.reviews", reviews)
    [error] = (await client.sync())["errors"]
    assert (asked, "tried again" in error["error"]) == (["", "again"], True)


async def test_an_account_that_is_not_ours_hides_no_other(client: Client) -> None:
    """Google may list an account and refuse its locations: the others are shown."""
    closed = f"{client.account}9"
    client.google.add_account(closed, "Closed", owner=client.person)
    plain = type(client.world.services.google_business("")).locations

    async def locations(self: Any, account: str) -> Any:
        if account == f"accounts/{closed}":
            raise Reconnect("google business", status=403)
        return await plain(self, account)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.integrations.google_business.client.GoogleBusiness.locations", locations)
        answer = await client.call("POST", "/locations/refresh")
    assert [one["accountId"] for one in answer.json()["locations"]] == [f"accounts/{client.account}"]


async def test_news_is_judged_once(client: Client) -> None:
    """News is judged when the rules look at it: no second run is asked to judge it as history at the same time."""
    review, _ = await client.news()
    assert await client.work("reviews_catch_up") == []
    await client.work()
    assert (await client.review(review))["sentiment_label"] == "positive"


@pytest.mark.parametrize("twice", [False, True])
async def test_a_location_of_another_account_keeps_its_reviews(client: Client, twice: bool) -> None:
    """The location is reached through another account: Google's names change, what people noted stays, nothing is
    there twice; also where both names were stored."""
    review, stored = await client.have()
    await client.call("PUT", f"/{stored['id']}/notes", json={"notes": "call her"})
    before, client.account = client.location, f"{client.account}8"
    client.google.add_account(client.account, "Group", owner=client.person)
    client.google.add_location(client.account, client.number, "Main Street")
    del client.google.locations[before], client.google.reviews[review["name"]]
    review["name"] = review["name"].replace(before, client.location)
    client.google.reviews[review["name"]] = review
    if twice:
        await client.world.db.execute(
            """insert into reviews (client_id, oauth_resource_id, platform_review_id, reviewer_name, rating,
                                    review_created_at, internal_notes)
               values ($1, $2, $3, 'Ada', 5, now(), 'call her')""",
            client.id, client.location_id, review["name"],
        )  # fmt: skip
    await client.world.db.execute(
        "update oauth_locations set account_id = $2 where oauth_connection_id = $1",
        client.connection_id,
        client.account,
    )
    done = await client.sync(forceFullSync=True)
    assert (done["errors"], done["newReviews"]) == ([], 0)
    [shown] = await client.reviews()
    assert (shown["platform_review_id"], shown["internal_notes"]) == (review["name"], "call her")
    assert (await client.call("POST", f"/{shown['id']}/respond", json={"response": "Thanks!"})).status_code == 200
