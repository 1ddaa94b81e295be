"""The review panel: lists, numbers, settings, requests by mail, and the pages behind a request's link."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from shared.areas.reviews import requests
from shared.db.counters import Limit
from tests.functions.conftest import World
from tests.functions.portal import mails, run_tasks
from tests.functions.reviews import Client, a_client, given_client, given_google  # noqa: F401  fixtures


async def ask(client: Client, **body: Any) -> Any:
    given = {
        "deliveryMethod": "email",
        "customerName": "Bo Customer",
        "customerEmail": f"{uuid4().hex}@example.test",
        "customerPhone": "",
        "customMessage": "",
        "locationId": "",
        **body,
    }
    return await client.call("POST", "/requests", json=given)


async def test_the_list_filters_sorts_and_pages(client: Client) -> None:
    """Each filter alone, the search with its own wildcards, every sort, and pages that add up."""
    for rating, name, ago in ((5, "Ada", 1), (3, "Bo", 2), (1, "Cy 100%", 40)):
        client.at_google(rating=rating, reviewer=name, comment=f"from {name}", ago=timedelta(days=ago))
    client.at_google(rating=4, reviewer="Di", ago=timedelta(days=3), reviewReply="Thanks")
    await client.sync()

    async def names(query: str) -> list[str]:
        return [one["reviewer_name"] for one in await client.reviews(query)]

    assert await names("") == ["Ada", "Bo", "Di", "Cy 100%"]
    assert await names("?sortBy=rating&sortOrder=asc") == ["Cy 100%", "Bo", "Di", "Ada"]
    assert await names("?sortBy=reviewer_name&sortOrder=ASC") == ["Ada", "Bo", "Cy 100%", "Di"]
    assert await names("?sortBy=priority") == ["Cy 100%", "Bo", "Di", "Ada"]
    assert await names("?rating=3") == ["Bo"]
    assert await names("?hasResponse=true") == ["Di"] == await names("?response_status=responded")
    assert await names("?hasResponse=false&isFlagged=true") == ["Bo", "Cy 100%"]
    assert await names("?priority=urgent") == ["Cy 100%"]
    assert await names("?search=100%25") == ["Cy 100%"]
    assert await names("?search=FROM%20a") == ["Ada"]
    assert await names(f"?locationId={client.location_id}&limit=2&page=2") == ["Di", "Cy 100%"]
    assert await names("?locationId=") == await names("")
    assert await names(f"?locationId={uuid4()}") == []
    assert len(await names("?dateFrom=2000-01-01&dateTo=2100-01-01")) == 4
    page = (await client.call("GET", "?limit=3&page=-4")).json()["pagination"]
    assert page == {"page": 1, "limit": 3, "total": 4, "totalPages": 2}
    for query in ("?locationId=x", "?rating=six", "?sortBy=client_id", "?priority=never", "?dateFrom=yesterday"):
        assert (await client.call("GET", query)).status_code == 400


async def test_a_list_row_has_the_panels_fields(client: Client) -> None:
    """Every field of the contract, the open drafts as a text, and no ``drafts``."""
    _, stored = await client.have()
    await client.call("POST", f"/{stored['id']}/draft", json={})
    [row] = await client.reviews()
    assert row["pending_drafts"] == "1"
    assert "drafts" not in row
    assert {"location_name", "raw_data", "sentiment_score", "sync_error", "last_synced_at", "state"} <= row.keys()
    assert row.keys() - {"pending_drafts"} == stored.keys() - {"drafts", "business_name"}


async def test_numbers(client: Client) -> None:
    """All time and period, stars, answers; texts, as the panel has always got them; nothing at all is zeros."""
    empty = (await client.call("GET", "/stats")).json()
    assert (empty["total_reviews"], empty["average_rating"], empty["periodDays"]) == ("0", None, 30)
    client.at_google(rating=5, ago=timedelta(days=2), reviewReply="Thanks")
    client.at_google(rating=2, ago=timedelta(days=90))
    await client.sync()
    await ask(client)
    told = (await client.call("GET", "/stats?days=7")).json()
    assert (told["total_reviews"], told["period_reviews"], told["pending_responses"]) == ("2", "1", "1")
    assert (told["average_rating"], told["period_average"], told["flagged_count"]) == ("3.50", "5.00", "1")
    assert (told["rating_5"], told["rating_2"], told["avgResponseHours"]) == ("1", "1", "0.0")
    assert told["requests"] == {"total_requests": "1", "sent_requests": "0", "completed_requests": "0"}


async def test_people_note_what_they_need(client: Client) -> None:
    """Flag, priority and notes answer the whole row, location included; wrong values are a 400."""
    _, stored = await client.have()
    path = f"/{stored['id']}"
    flagged = (await client.call("PUT", f"{path}/flag", json={"flagged": True, "reason": "rude"})).json()["review"]
    assert (flagged["is_flagged"], flagged["flag_reason"], flagged["flagged_by"]) == (True, "rude", str(client.id))
    assert flagged["location_name"] == stored["location_name"]
    cleared = (await client.call("PUT", f"{path}/flag", json={"flagged": False})).json()["review"]
    assert (cleared["is_flagged"], cleared["flagged_at"], cleared["flagged_by"]) == (False, None, str(client.id))
    urgent = (await client.call("PUT", f"{path}/priority", json={"priority": "urgent"})).json()["review"]
    assert urgent["priority"] == "urgent"
    for method in ("PUT", "POST"):
        noted = (await client.call(method, f"{path}/notes", json={"notes": f"by {method}"})).json()["review"]
        assert noted["internal_notes"] == f"by {method}"
    assert (await client.call("PUT", f"{path}/flag", json={})).status_code == 400
    assert (await client.call("PUT", f"{path}/priority", json={"priority": "x"})).status_code == 400


async def test_settings_are_saved_in_parts(client: Client) -> None:
    """Defaults first; a part changes only itself; arrays are arrays, a cleared number is its default."""
    before = (await client.call("GET", "/settings")).json()["settings"]
    assert (before["sync_interval_minutes"], before["auto_flag_keywords"], before["client_id"]) == (
        60,
        [],
        str(client.id),
    )
    saved = await client.call("PUT", "/settings", json={"auto_flag_keywords": ["bad"], "sync_interval_minutes": 1})
    assert saved.json()["settings"]["auto_flag_keywords"] == ["bad"]
    again = await client.call("PUT", "/settings", json={"sync_interval_minutes": None, "unknown": 1})
    assert (again.json()["settings"]["sync_interval_minutes"], again.json()["settings"]["auto_flag_keywords"]) == (
        60,
        ["bad"],
    )
    assert (await client.call("GET", "/settings")).json() == again.json()
    for body in ({"notification_emails": ["nobody"]}, {"review_link_base_url": "javascript:alert(1)"}):
        assert (await client.call("PUT", "/settings", json=body)).status_code == 400


async def test_a_request_is_mailed_followed_and_completed(world: World, client: Client) -> None:
    """Mailed once, opened, clicked, and completed by the review of that name; each is told as it happens."""
    await client.sync()
    answer = await ask(client, customMessage="Hi <b>you</b>", customerEmail="BO-whole-way@example.test")
    assert answer.status_code == 200, answer.text
    request = answer.json()["request"]
    link = f"https://search.google.com/local/writereview?placeid=ChIJlocal{client.number}"
    assert (request["status"], request["review_link"]) == ("pending", link)
    assert request["location_name"] == f"Main Street {client.account[:-1]}"

    await run_tasks(world, "emails_send")
    [mail] = await mails(world, "bo-whole-way@example.test", "review_request")
    assert request["tracked_link"] in mail["text"]
    assert "&lt;b&gt;you&lt;/b&gt;" in mail["html_body"]
    path = f"/requests/{request['id']}"
    assert (await client.call("GET", path)).json()["request"]["status"] == "sent"

    await world.db.execute("update email_logs set delivered_at = now(), opened_at = now() where id = $1", mail["id"])
    assert (await client.call("GET", path)).json()["request"]["status"] == "opened"

    await world.db.execute("update email_logs set clicked_at = now() where id = $1", mail["id"])  # the way out, perhaps
    assert (await client.call("GET", path)).json()["request"]["status"] == "opened"

    followed = await world.call("GET", request["tracked_link"].removeprefix("http://localhost:8080"))
    assert (followed.status_code, followed.headers["location"]) == (302, link)
    assert (await client.call("GET", path)).json()["request"]["status"] == "clicked"

    client.at_google(reviewer="bo customer", ago=timedelta(seconds=-1))
    await client.sync()
    await client.work()
    done = (await client.call("GET", path)).json()["request"]
    assert (done["status"], bool(done["resulting_review_id"])) == ("completed", True)
    assert (await client.call("GET", "/stats")).json()["requests"] == {
        "total_requests": "1",
        "sent_requests": "1",
        "completed_requests": "1",
    }


async def test_requests_that_cannot_be(client: Client) -> None:
    """Without address, phone, or with somebody else's location: 400. A text message is kept as failed."""
    assert (await ask(client, customerEmail="")).status_code == 400
    assert (await ask(client, customerEmail="a b")).status_code == 400
    assert (await ask(client, deliveryMethod="sms")).status_code == 400
    assert (await ask(client, deliveryMethod="")).status_code == 400
    assert (await ask(client, locationId=str(uuid4()))).status_code == 400
    sms = (await ask(client, deliveryMethod="sms", customerPhone="+1 555 123")).json()["request"]
    assert (sms["status"], bool(sms["error_message"])) == ("failed", True)
    link = (await ask(client, deliveryMethod="link_only", customerEmail="")).json()["request"]
    assert (link["status"], link["customer_email"]) == ("pending", None)


async def test_nobody_is_asked_twice_or_against_their_will(world: World, client: Client) -> None:
    """A second mail within a month is a 409; so is any after the person said no, on the page of the mail's link."""
    address = f"{uuid4().hex}@example.test"
    first = (await ask(client, customerEmail=address)).json()["request"]
    assert (await ask(client, customerEmail=address.upper())).json()["code"] == "ASKED_LATELY"
    await world.db.execute(
        "update review_requests set created_at = now() - interval '31 days' where client_id = $1", client.id
    )
    stop = first["tracked_link"].removeprefix("http://localhost:8080") + "/stop"
    page = await world.call("GET", stop)
    assert (page.status_code, "Harbor Dental" in page.text) == (200, True)
    assert (await ask(client, customerEmail=address)).status_code == 200  # looking at the page changed nothing
    assert (await world.call("POST", stop)).status_code == 200
    await world.db.execute(
        "update review_requests set created_at = now() - interval '31 days' where client_id = $1", client.id
    )
    assert (await ask(client, customerEmail=address)).json()["code"] == "UNSUBSCRIBED"
    other = await a_client(world, client.google)
    assert (await ask(other, customerEmail=address)).status_code == 200


async def test_mail_programs_stop_requests_with_one_click(world: World, client: Client) -> None:
    """The mail names the address in its headers, and what a mail program posts there is enough (RFC 8058)."""
    address = f"{uuid4().hex}@example.test"
    first = (await ask(client, customerEmail=address)).json()["request"]
    await run_tasks(world, "emails_send")
    [mail] = [mail for mail in world.mailgun.mails if address in mail.recipients]
    assert mail.headers["List-Unsubscribe"] == f"<{first['tracked_link']}/stop>"
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    stop = urlsplit(mail.headers["List-Unsubscribe"].strip("<>")).path
    answer = await world.http.post(stop, data={"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    await world.db.execute(
        "update review_requests set created_at = now() - interval '31 days' where client_id = $1", client.id
    )
    assert (await ask(client, customerEmail=address)).json()["code"] == "UNSUBSCRIBED"


async def test_links_of_nothing_lead_nowhere(world: World) -> None:
    """An unknown token is a 404 on every page."""
    for method, path in (("GET", "/r/none"), ("GET", "/r/none/stop"), ("POST", "/r/none/stop")):
        assert (await world.call(method, path)).status_code == 404


async def test_requests_are_listed_by_status(client: Client) -> None:
    """Newest first, paged, and filtered by what became of them; another client's is a 404."""
    made = [(await ask(client)).json()["request"]["id"] for _ in range(2)]
    await client.world.db.execute("update review_requests set clicked_at = now() where id = $1::uuid", made[0])

    async def ids(query: str) -> list[str]:
        return [one["id"] for one in (await client.call("GET", f"/requests{query}")).json()["requests"]]

    assert await ids("") == [made[1], made[0]]
    assert (await ids("?status=clicked"), await ids("?status=pending")) == ([made[0]], [made[1]])
    other = await a_client(client.world, client.google)
    assert (await other.call("GET", f"/requests/{made[0]}")).status_code == 404


@pytest.mark.parametrize("bounced", [True, False])
async def test_a_mail_that_failed_is_told(client: Client, bounced: bool) -> None:
    """Bounced later, or refused at once: the request says so, and why."""
    request = (await ask(client)).json()["request"]
    change = "bounced_at = now(), status = 'bounced'" if bounced else "status = 'failed'"
    await client.world.db.execute(
        f"update email_logs set {change}, error_message = 'no such mailbox' where review_request_id = $1::uuid",
        request["id"],
    )
    shown = (await client.call("GET", f"/requests/{request['id']}")).json()["request"]
    assert (shown["status"], shown["error_message"]) == ("bounced" if bounced else "failed", "no such mailbox")


async def test_a_client_without_google_uses_its_own_link(world: World) -> None:
    """A review link in the settings serves where no location is connected; without either it is a 409."""
    headers = await world.sign_in(await world.client())
    body = {"deliveryMethod": "link_only"}
    refused = await world.call("POST", "/api/reviews/requests", json=body, headers=headers)
    assert refused.status_code == 409
    settings = {"review_link_base_url": "https://reviews.example.test/us"}
    await world.call("PUT", "/api/reviews/settings", json=settings, headers=headers)
    made = await world.call("POST", "/api/reviews/requests", json=body, headers=headers)
    assert made.json()["request"]["review_link"] == "https://reviews.example.test/us"


async def test_logs_are_filtered(client: Client) -> None:
    """By review and by kind."""
    _, one = await client.have()
    _, two = await client.have()
    for review in (one, two):
        await client.call("POST", f"/{review['id']}/draft", json={})
    found = (await client.call("GET", f"/automation-logs?reviewId={one['id']}")).json()
    assert [log["review_id"] for log in found["logs"]] == [one["id"]]
    assert found["pagination"] == {"page": 1, "limit": 50, "total": 1, "totalPages": 1}
    assert (await client.call("GET", "/automation-logs?actionType=rule_flag")).json()["logs"] == []


async def test_requests_are_rationed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links and mails alike, so many an hour for each client."""
    monkeypatch.setattr(requests, "REQUESTS", Limit("review-requests", 2, 3600))
    answers = [await ask(client, deliveryMethod="link_only") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
