"""Reviews come from Google; a bad one is drafted for by a rule and answered through an outage, a good one asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from emulators.acts import Stage, expect, until
from emulators.acts.browser import Browser
from emulators.acts.connections import choose_location, connect
from emulators.acts.leads import signed_in
from emulators.cloud import LocalCloud
from emulators.demo_data import CLIENTS, STAFF, demo_id

CLIENT = CLIENTS["bakery"]
ADMIN = next(email for role, email, *_ in STAFF if role == "admin")
ACCOUNT, NUMBER = "7003", "7004"
LOCATION = f"accounts/{ACCOUNT}/locations/{NUMBER}"
HISTORY = 60  # reviews from before the connection, two of Google's pages
_SAYS = ("Great cakes and friendly staff.", "Nice place.", "The best bread in town!", "We waited long.", "")


async def act(cloud: LocalCloud, stage: Stage) -> None:
    """The bakery's reviews: history read, a bad one answered while Google is out, a request mailed and answered."""
    database = await asyncpg.connect(cloud.database_url)
    try:
        async with Browser(cloud, "Reviews, admin") as admin, Browser(cloud, "Reviews, client") as client:
            admin.token = await signed_in(cloud, database, demo_id(f"user {ADMIN}"))
            client.token = await signed_in(cloud, database, CLIENT.id)
            await _play(stage, _Google(cloud), _Panel(client), admin, cloud)
    finally:
        await database.close()


class _Google:
    """Customers at Google: what they write, and what stands under it."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._control = cloud.control

    async def write(self, reviewer: str, rating: int, comment: str, *, days_ago: int = 0) -> None:
        created = datetime.now(UTC) - timedelta(days=days_ago)
        body = {
            "location": LOCATION,
            "reviewer": reviewer,
            "rating": rating,
            "comment": comment,
            "createTime": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        answer = await self._control.post("/google/reviews", json=body)
        expect(answer.is_success, f"a review could not be written: {answer.text}")

    async def reply_to(self, reviewer: str) -> str:
        """The owner's reply under this customer's review; empty when there is none."""
        reviews = (await self._control.get("/google/reviews")).json()["reviews"]
        mine = next(one for one in reviews if one["reviewer"]["displayName"] == reviewer)
        return str(mine.get("reviewReply", {}).get("comment", ""))


class _Panel:
    """The client's review panel."""

    def __init__(self, client: Browser) -> None:
        self._client = client

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        return await self._client.send(method, f"/api/reviews{path}", **options)

    async def review_of(self, reviewer: str) -> dict[str, Any]:
        """A customer's review with its drafts; {} while it is not there."""
        found = (await self.ask("GET", f"?search={reviewer.replace(' ', '%20')}"))["reviews"]
        return (await self.ask("GET", f"/{found[0]['id']}"))["review"] if found else {}

    async def arrived(self, reviewer: str) -> bool:
        """Whether a customer's review is there, after a sync by hand (a poll may have been at it just then)."""
        await self.ask("POST", "/sync", json={})
        return bool(await self.review_of(reviewer))


async def _play(stage: Stage, google: _Google, panel: _Panel, admin: Browser, cloud: LocalCloud) -> None:
    async with stage.step(f"{CLIENT.business} is connected to Google; its old reviews are read") as notes:
        notes.append(await _read_history(cloud, google, panel, admin))
    await _have_rule(admin)
    critic = "Cora Critic"
    async with stage.step("a one-star review: noticed, flagged, drafted for by a rule") as notes:
        await google.write(critic, 1, "The cake was late and the staff was rude.")
        await until("the review", lambda: panel.arrived(critic))
        review = await _drafted(panel, critic)
        expect(review["is_flagged"] and review["priority"] == "urgent", "the review asks for no attention")
        notes.append(f"{review['flag_reason']}, mood {review['sentiment_label']}")
    draft = review["drafts"][0]
    print(f"      the AI's draft: {draft['draft_text'][:88]}…", flush=True)
    words = f"{draft['draft_text']} Please ask for Robin."
    async with stage.step("reworded, approved and sent while Google is down: it is kept") as notes:
        await cloud.control.put("/faults/google", json={"status": 503})
        await panel.ask("PUT", f"/drafts/{draft['id']}", json={"text": words})
        await panel.ask("POST", f"/drafts/{draft['id']}/approve")
        sent = await panel.ask("POST", f"/drafts/{draft['id']}/send")
        expect(sent["status"] == "sending", f"the answer is {sent}")
        expect(await google.reply_to(critic) == "", "the reply is at Google")
        notes.append(sent["message"])
    async with stage.step("Google is back: the reply is there, by itself"):
        await cloud.control.delete("/faults/google")

        async def posted() -> bool:
            return bool((await panel.review_of(critic))["state"] == "responded")

        await until("the reply at Google", posted, within_s=120)
        expect(await google.reply_to(critic) == words, "another reply is at Google")
    async with stage.step("a customer is asked by mail, follows the link, and writes") as notes:
        notes.append(await _ask_a_customer(cloud, google, panel))


async def _read_history(cloud: LocalCloud, google: _Google, panel: _Panel, admin: Browser) -> str:
    await connect(cloud, admin, "google", CLIENT, person=1)  # a consent of its own: another act withdraws the first's
    connections = (await admin.send("GET", f"/api/hub/clients/{CLIENT.id}/oauth-connections"))["connections"]
    path = next(f"/api/hub/oauth-connections/{one['id']}" for one in connections if one["provider"] == "google")
    await choose_location(cloud, admin, path, CLIENT, account=ACCOUNT, number=NUMBER)
    for number in range(HISTORY):
        rating, says = 5 - number % 4, _SAYS[number % len(_SAYS)]
        await google.write(f"Guest {number}", rating, says, days_ago=20 + number)

    async def read() -> bool:
        told = await panel.ask("POST", "/sync", json={"forceFullSync": True})
        return not told["errors"]

    await until("the old reviews", read)
    stats = await panel.ask("GET", "/stats")
    expect(int(stats["total_reviews"]) == HISTORY, f"{stats['total_reviews']} reviews are there")
    return f"{stats['total_reviews']} reviews, {stats['average_rating']} stars, {stats['flagged_count']} flagged"


async def _have_rule(admin: Browser) -> None:
    """The admin, for the client: bad reviews get a draft."""
    admin.http.headers["X-Acting-User"] = str(CLIENT.id)
    rule = {"name": "Draft for bad reviews", "actionType": "draft", "maxRating": 3, "isActive": True}
    await admin.send("POST", "/api/reviews/automation-rules", json=rule)


async def _drafted(panel: _Panel, reviewer: str) -> dict[str, Any]:
    """The review, once a rule's draft is there."""

    async def drafted() -> bool:
        return bool((await panel.review_of(reviewer))["drafts"])

    await until("the rule's draft", drafted)
    return await panel.review_of(reviewer)


async def _ask_a_customer(cloud: LocalCloud, google: _Google, panel: _Panel) -> str:
    name, address = "Fay Friend", "fay@mail.test"
    wish = {"deliveryMethod": "email", "customerName": name, "customerEmail": address, "locationId": ""}
    request = (await panel.ask("POST", "/requests", json=wish))["request"]
    async with Browser(cloud, "Customer") as customer:
        link = await customer.mailed(address, r"(https?://\S+/r/[\w-]+)\s")
        followed = await customer.http.get(link.removeprefix(cloud.base_url))
    expect(followed.headers.get("location", "") == request["review_link"], f"the link answered {followed.status_code}")
    states = [request["status"], await _state(panel, request)]
    await google.write(name, 5, "Wonderful birthday cake, thank you!")

    async def completed() -> bool:
        await panel.arrived(name)
        return await _state(panel, request) == "completed"

    await until("the request to be completed", completed)
    return " → ".join([*states, "completed"])


async def _state(panel: _Panel, request: dict[str, Any]) -> str:
    return str((await panel.ask("GET", f"/requests/{request['id']}"))["request"]["status"])
