"""Connecting accounts: to each vendor's consent page and back, in the browser that began, by an admin who still is."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from emulators.faults import Fault
from emulators.vendors.oauth import Person as Consenting
from tests.functions.conftest import World
from tests.functions.connections.accounts import SCOPES, Accounts, consent, told
from tests.functions.people import Browser

PROVIDERS = pytest.mark.parametrize("provider", list(SCOPES))


class Admin:
    """An admin in a browser of their own, whose requests carry their access token as the dashboard's do."""

    def __init__(self, world: World, user_id: UUID, headers: dict[str, str]) -> None:
        self.user_id, self.headers, self.browser = user_id, headers, Browser(world)

    async def start(self, provider: str, client_id: UUID) -> httpx.Response:
        path = f"/api/hub/oauth/{provider}/connect"
        return await self.browser.post(path, {"clientId": str(client_id)}, headers=self.headers)

    async def connect(self, provider: str, client_id: UUID, person: Consenting, decision: str = "allow") -> str:
        """All of connecting; where the browser ends up."""
        started = await self.start(provider, client_id)
        assert started.status_code == 200, started.text
        finished = await self.browser.get(await consent(started.json()["authUrl"], person, decision))
        assert finished.status_code == 302, finished.text
        return str(finished.headers["location"])


async def admin(world: World) -> Admin:
    user_id = await world.user("admin")
    return Admin(world, user_id, await world.sign_in(user_id))


async def connections(world: World, client_id: UUID) -> list[dict[str, object]]:
    headers = await world.sign_in(await world.user("admin"))
    answer = await world.call("GET", f"/api/hub/clients/{client_id}/oauth-connections", headers=headers)
    return answer.json()["connections"]  # type: ignore[no-any-return]


@PROVIDERS
async def test_an_account_is_connected(world: World, accounts: Accounts, provider: str) -> None:
    """The browser returns to the client hub, and the client has the account, with tokens sealed and shown nowhere."""
    client_id, person = await world.client(), accounts.somebody(provider)

    where = await (await admin(world)).connect(provider, client_id, person)

    assert where.startswith("http://localhost:8080/client-hub?")
    assert told(where) == {"oauth": "success", "provider": provider, "clientId": str(client_id)}
    [one] = await connections(world, client_id)
    assert (one["provider"], one["provider_account_id"], one["provider_account_name"]) == (
        provider,
        person.id,
        person.name,
    )
    assert one["is_connected"] and one["has_tokens"] and one["resource_count"] == "0"
    if provider in ("google", "facebook"):
        assert set(SCOPES["google"].split() if provider == "google" else ["pages_show_list"]) <= set(
            one["scope_granted"]  # type: ignore[call-overload]
        )
    access, _ = await accounts.tokens(UUID(str(one["id"])))
    assert accounts.vendor(provider).grant_of(access) is not None
    row = await accounts.row(UUID(str(one["id"])))
    assert access not in str(one) and access not in str(dict(row)) and row["access_token"] is None


async def test_what_each_vendor_is_asked(world: World, accounts: Accounts) -> None:
    """Client id, scopes, state and PKCE go out as the vendor names them; Google is asked for a refresh token."""
    somebody, client_id = await admin(world), await world.client()
    asked = {}
    for provider in SCOPES:
        url = urlsplit((await somebody.start(provider, client_id)).json()["authUrl"])
        asked[provider] = {name: values[0] for name, values in parse_qs(url.query).items()}
        assert len(asked[provider]["state"]) == 43
        assert asked[provider]["redirect_uri"] == f"http://localhost:8080/api/hub/oauth/{provider}/callback"
    assert (asked["google"]["access_type"], asked["google"]["prompt"]) == ("offline", "consent")
    assert "https://www.googleapis.com/auth/business.manage" in asked["google"]["scope"].split()
    assert asked["google"]["code_challenge_method"] == asked["tiktok"]["code_challenge_method"] == "S256"
    assert "code_challenge" not in asked["facebook"] and asked["facebook"]["auth_type"] == "rerequest"
    assert "pages_show_list" in asked["facebook"]["scope"].split(",")
    assert asked["tiktok"]["client_key"] == accounts.tiktok.client_id
    assert asked["wordpress"]["scope"] == "global posts media"


async def test_instagram_is_connected_through_facebook(world: World, accounts: Accounts) -> None:
    """There is one consent for both."""
    started = await (await admin(world)).start("instagram", await world.client())
    assert started.json()["authUrl"].startswith(accounts.facebook.url)


async def test_facebooks_token_lasts_sixty_days(world: World, accounts: Accounts) -> None:
    """The token of hours is exchanged at once; permissions that the person took out are not listed as granted."""
    client_id = await world.client()
    accounts.facebook.declined = {"instagram_basic"}
    await (await admin(world)).connect("facebook", client_id, accounts.somebody("facebook"))
    days = await world.db.fetchval(
        "select extract(day from expires_at - now()) from oauth_connections where client_id = $1", client_id
    )
    [one] = await connections(world, client_id)
    assert 58 <= days <= 60
    assert "pages_show_list" in one["scope_granted"] and "instagram_basic" not in one["scope_granted"]  # type: ignore[operator]


async def test_connecting_again_heals_the_same_row(world: World, accounts: Accounts) -> None:
    """Broken, revoked or removed: the same account comes back as itself, with its chosen resources' history."""
    client_id, person, somebody = await world.client(), accounts.somebody("google"), await admin(world)
    await somebody.connect("google", client_id, person)
    [first] = await connections(world, client_id)
    path = f"/api/hub/oauth-connections/{first['id']}"
    for undo in (("POST", f"{path}/revoke"), ("DELETE", path)):
        assert (await world.call(*undo, headers=somebody.headers)).status_code == 200
        await somebody.connect("google", client_id, person)
        [again] = await connections(world, client_id)
        assert again["id"] == first["id"] and again["is_connected"]
        assert again["revoked_at"] is None and again["last_error"] is None


async def test_two_racing_callbacks_make_one_connection(world: World, accounts: Accounts) -> None:
    """Two admins who connect the same account at once leave one row, and both see success."""
    client_id, person = await world.client(), accounts.somebody("google")
    both = [await admin(world), await admin(world)]
    ways = [await consent((await one.start("google", client_id)).json()["authUrl"], person) for one in both]
    ends = await asyncio.gather(*(one.browser.get(way) for one, way in zip(both, ways, strict=True)))
    assert [told(end.headers["location"])["oauth"] for end in ends] == ["success", "success"]
    assert len(await connections(world, client_id)) == 1


async def test_a_google_consent_without_a_refresh_token_keeps_the_old_one(world: World, accounts: Accounts) -> None:
    """What Google does not send again is not lost."""
    client_id, person = await world.client(), accounts.somebody("google")
    connection_id = await accounts.connected(client_id, "google", person=person)
    _, refresh = await accounts.tokens(connection_id)
    accounts.google.is_offline = lambda _: False  # type: ignore[method-assign]
    try:
        await (await admin(world)).connect("google", client_id, person)
    finally:
        del accounts.google.is_offline
    assert (await accounts.tokens(connection_id))[1] == refresh


# --- what must not work -----------------------------------------------------------------------------------------------


async def failed(world: World, browser: Browser, way: str, client_id: UUID) -> str:
    """The word with which a callback ends; nothing is connected."""
    finished = await browser.get(way)
    assert finished.status_code == 302
    query = told(finished.headers["location"])
    assert query["oauth"] == "error" and finished.headers["location"].startswith("http://localhost:8080/client-hub?")
    assert await connections(world, client_id) == []
    return query["message"]


@PROVIDERS
async def test_nobody_finishes_what_another_browser_began(world: World, accounts: Accounts, provider: str) -> None:
    """Without the cookie of the browser that began, with another one's, or a made-up state nothing is connected."""
    client_id, mine, other = await world.client(), await admin(world), await admin(world)
    person = accounts.somebody(provider)
    way = await consent((await mine.start(provider, client_id)).json()["authUrl"], person)
    assert await failed(world, Browser(world), way, client_id) == "state_mismatch"
    await other.start(provider, client_id)
    assert await failed(world, other.browser, way, client_id) == "state_mismatch"
    invented = "s" * 43
    made_up = Browser(world)
    made_up.cookies.set(f"oauth_int_state_{provider}", invented)
    callback = f"/api/hub/oauth/{provider}/callback?code=x&state={invented}"
    assert await failed(world, made_up, callback, client_id) == "session_expired"


async def test_a_callback_works_once(world: World, accounts: Accounts) -> None:
    """The same address again is an ended session, even in the same browser with the same cookie."""
    client_id, somebody = await world.client(), await admin(world)
    way = await consent((await somebody.start("google", client_id)).json()["authUrl"], accounts.somebody("google"))
    cookie = somebody.browser.cookies.get("oauth_int_state_google")
    assert "success" in (await somebody.browser.get(way)).headers["location"]
    somebody.browser.cookies.set("oauth_int_state_google", str(cookie))
    assert told((await somebody.browser.get(way)).headers["location"])["message"] == "session_expired"


async def test_a_state_is_for_one_vendor(world: World, accounts: Accounts) -> None:
    """What began at Google cannot end at TikTok."""
    client_id, somebody = await world.client(), await admin(world)
    await somebody.start("google", client_id)
    state = str(somebody.browser.cookies.get("oauth_int_state_google"))
    somebody.browser.cookies.set("oauth_int_state_tiktok", state)
    way = f"/api/hub/oauth/tiktok/callback?code=x&state={state}"
    assert await failed(world, somebody.browser, way, client_id) == "state_mismatch"


@pytest.mark.parametrize("change", ["signed out", "no admin any more", "client deleted"])
async def test_the_admin_must_still_be_one(world: World, accounts: Accounts, change: str) -> None:
    """Between consent and callback the session ended, the role was taken, or the client went: nothing is connected."""
    client_id, somebody = await world.client(), await admin(world)
    way = await consent((await somebody.start("google", client_id)).json()["authUrl"], accounts.somebody("google"))
    if change == "signed out":
        await world.db.execute("update user_sessions set revoked_at = now() where user_id = $1", somebody.user_id)
    elif change == "no admin any more":
        await world.db.execute("update users set role = 'team' where id = $1", somebody.user_id)
    else:
        await world.db.execute("delete from users where id = $1", client_id)
    finished = await somebody.browser.get(way)
    want = "client_not_found" if change == "client deleted" else "session_expired"
    assert told(finished.headers["location"])["message"] == want
    assert not await world.db.fetchval("select count(*) from oauth_connections where client_id = $1", client_id)


@PROVIDERS
async def test_a_person_may_say_no(world: World, accounts: Accounts, provider: str) -> None:
    """A refusal returns to the dashboard with the vendor's word for it, and none of its text."""
    client_id = await world.client()
    where = await (await admin(world)).connect(provider, client_id, accounts.somebody(provider), "deny")
    assert told(where) == {"oauth": "error", "provider": provider, "message": "access_denied"}
    assert await connections(world, client_id) == []


async def test_a_vendors_text_does_not_reach_the_address(world: World, accounts: Accounts) -> None:
    """What is no plain word is replaced; markup in it goes nowhere."""
    client_id, somebody = await world.client(), await admin(world)
    await somebody.start("google", client_id)
    state = somebody.browser.cookies.get("oauth_int_state_google")
    way = f"/api/hub/oauth/google/callback?state={state}&error=%3Cscript%3E&error_description=secret"
    assert await failed(world, somebody.browser, way, client_id) == "provider_refused"


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(status=429), Fault(drop=True)], ids=["503", "429", "cut"])
@PROVIDERS
async def test_an_outage_is_told(world: World, accounts: Accounts, provider: str, fault: Fault) -> None:
    """While the vendor's token endpoint is out the browser returns with one word, and another try works."""
    client_id, somebody, person = await world.client(), await admin(world), accounts.somebody(provider)
    way = await consent((await somebody.start(provider, client_id)).json()["authUrl"], person)
    world.faults.put(provider, fault)
    assert await failed(world, somebody.browser, way, client_id) == "provider_unavailable"
    world.faults.clear(provider)
    assert "success" in await somebody.connect(provider, client_id, person)


async def test_starting_asks_for_a_client_and_an_app(world: World, accounts: Accounts) -> None:
    """Unknown clients, staff and unknown vendors are 404, no id is 400, and a vendor without our app says so."""
    from dataclasses import replace

    somebody = await admin(world)
    assert (await somebody.start("google", uuid4())).status_code == 404
    assert (await somebody.start("google", somebody.user_id)).status_code == 404
    assert (await somebody.start("myspace", await world.client())).status_code == 404
    bare = await somebody.browser.post("/api/hub/oauth/google/connect", {}, headers=somebody.headers)
    assert bare.status_code == 400
    world.services.settings = replace(world.services.settings, google_oauth_client_id="")
    missing = await somebody.start("google", await world.client())
    assert (missing.status_code, missing.json()["code"]) == (503, "OAUTH_NOT_CONFIGURED")


async def test_the_cookie_is_for_the_callback_alone(world: World, accounts: Accounts) -> None:
    """HttpOnly, Lax, ten minutes, and only sent to the callbacks' path."""
    started = await (await admin(world)).start("google", await world.client())
    [cookie] = [line for line in started.headers.get_list("set-cookie") if line.startswith("oauth_int_state_google=")]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Max-Age=600" in cookie
    assert "Path=/api/hub/oauth" in cookie
