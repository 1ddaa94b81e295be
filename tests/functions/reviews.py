"""What tests of the reviews area share: a client with locations at Google's stand-in, and its requests."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from emulators.vendors.google import BUSINESS, Google
from emulators.vendors.oauth import Person
from shared.areas import pauses
from shared.crypto import KeyRing, column_context
from tests.functions.conftest import SECRETS, World

QUOTA_PAUSE = (pauses.COLLECTION, "google business:project")
_numbers = itertools.count(1001)


def google_time(ago: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) - ago).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Client:
    """A signed-in client of the agency with one location at Google."""

    world: World
    google: Google
    id: UUID
    person: Person
    connection_id: UUID
    location_id: UUID
    account: str
    number: str
    headers: dict[str, str]

    @property
    def location(self) -> str:
        return f"accounts/{self.account}/locations/{self.number}"

    def at_google(self, **given: Any) -> dict[str, Any]:
        """A review at Google, five stars and an hour old unless *given* says otherwise."""
        ago = given.pop("ago", timedelta(hours=1))
        defaults = {
            "location": self.location,
            "rating": 5,
            "reviewer": "Ada Guest",
            "comment": "Great service and friendly staff.",
            "createTime": google_time(ago),
        }
        return self.google.add_review({**defaults, **given})

    def edit(self, review: dict[str, Any], **changes: Any) -> None:
        review.update(changes, updateTime=google_time())

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return await self.world.call(method, f"/api/reviews{path}", headers=headers, **options)

    async def sync(self, **body: Any) -> dict[str, Any]:
        answer = await self.call("POST", "/sync", json=body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def reviews(self, query: str = "") -> list[dict[str, Any]]:
        answer = await self.call("GET", query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["reviews"]
        return found

    async def review(self, review: dict[str, Any]) -> dict[str, Any]:
        """The stored review of one at Google, with its drafts."""
        found = await self.world.db.fetchval(
            "select id from reviews where client_id = $1 and platform_review_id = $2", self.id, review["name"]
        )
        answer = await self.call("GET", f"/{found}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()["review"]
        return shown

    async def have(self, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A review at Google, synced: as Google has it and as we do."""
        review = self.at_google(**given)
        await self.sync()
        return review, await self.review(review)

    async def news(self, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A review that came after the first sync, whose evaluation waits to be delivered."""
        await self.sync()
        return await self.have(**given)

    async def work(self, *names: str) -> list[int]:
        """Deliver what was enqueued for our task functions, until nothing is left; the statuses."""
        wanted = names or ("reviews_evaluate", "reviews_run_rule", "reviews_catch_up", "reviews_send_reply")
        statuses = []
        while due := [task for task in self.world.sent.tasks if task["function"] in wanted]:
            for task in due:
                self.world.sent.tasks.remove(task)
                key = UUID(task["headers"]["X-Outbox-Id"])
                answer = await self.world.deliver_task(task["function"], task["payload"], key=key)
                statuses.append(answer.status_code)
        return statuses

    async def full_read_was_long_ago(self) -> None:
        """Google's count is believed again: less than an hour after a full read it may lag behind."""
        await self.world.db.execute(
            "update review_syncs set full_at = full_at - interval '2 hours' where client_id = $1", self.id
        )

    async def rule(self, **given: Any) -> dict[str, Any]:
        """An active automation rule, made by an admin who acts for the client."""
        admin = await self.world.sign_in(await self.world.user("admin"))
        body = {"name": "A rule", "actionType": "draft", "isActive": True, **given}
        answer = await self.world.call(
            "POST", "/api/reviews/automation-rules", json=body, headers={**admin, "X-Acting-User": str(self.id)}
        )
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()["rule"]
        return made

    async def logs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.call("GET", "/automation-logs")).json()["logs"]
        return found


async def a_client(world: World, google: Google, *, lasts: timedelta = timedelta(hours=1)) -> Client:
    client_id = await world.client()
    number = next(_numbers)
    account, location = f"{number}1", f"{number}2"
    person = Person(str(client_id), f"owner-{number}@example.test", "Robin Owner")
    google.people.append(person)
    google.add_account(account, f"Account {number}", owner=person)
    google.add_location(account, location, f"Main Street {number}")
    tokens = google.issue(person, BUSINESS)
    connection_id: UUID = await world.db.fetchval(
        """insert into oauth_connections (client_id, provider, provider_account_id, provider_account_name, expires_at)
           values ($1, 'google', $2, 'Robin Owner', $3) returning id""",
        client_id, person.id, datetime.now(UTC) + lasts,
    )  # fmt: skip
    ring = KeyRing.parse(SECRETS["ENCRYPTION_KEYS"])
    sealed = {
        name: ring.seal_text(value, context=column_context("oauth_connections", name, connection_id))
        for name, value in (
            ("encrypted_access_token", tokens["access_token"]),
            ("encrypted_refresh_token", tokens["refresh_token"]),
        )
    }
    await world.db.execute(
        """update oauth_connections set encrypted_access_token = $2, encrypted_refresh_token = $3, kms_key_id = 't1'
           where id = $1""",
        connection_id, sealed["encrypted_access_token"], sealed["encrypted_refresh_token"],
    )  # fmt: skip
    location_id: UUID = await world.db.fetchval(
        """insert into oauth_resources (
               client_id, oauth_connection_id, provider, resource_type, resource_id, resource_name, is_primary)
           values ($1, $2, 'google', 'google_location', $3, $4, true) returning id""",
        client_id, connection_id, location, f"Main Street {number}",
    )  # fmt: skip
    await world.db.execute(
        """insert into brand_assets (user_id, business_name, business_description)
           values ($1, 'Harbor Dental', 'Teeth.')""",
        client_id,
    )
    headers = await world.sign_in(client_id)
    return Client(world, google, client_id, person, connection_id, location_id, account, location, headers)


@pytest.fixture(name="google")
async def given_google(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Google]:
    """A stand-in of Google's own, which the functions know for the length of a test; nothing pauses from an earlier
    one, and no app of another test's counts before it."""
    await world.db.execute("delete from oauth_providers")
    google, before = Google(world.faults), world.services.settings
    await google.start()
    told = {name.lower(): value for name, value in google.env.items()}
    world.services.settings = replace(before, **{name: value for name, value in told.items() if hasattr(before, name)})
    monkeypatch.setitem(SECRETS, "GOOGLE_OAUTH_CLIENT_SECRET", google.client_secret)
    await world.services.firestore.delete(*QUOTA_PAUSE)
    yield google
    world.services.settings = before
    await google.stop()


@pytest.fixture(name="client")
async def given_client(world: World, google: Google) -> Client:
    return await a_client(world, google)
