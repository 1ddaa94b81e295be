"""Signing in with Google and Microsoft, against stand-ins of both and of Firestore."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from emulators.faults import Fault
from emulators.firestore import Firestore
from emulators.vendors.google import Google
from emulators.vendors.microsoft import Microsoft
from emulators.vendors.oauth import Person as Consenting
from tests.functions.conftest import SECRETS, World
from tests.functions.people import Browser, Person, events, person

LOGIN = "http://localhost:8080/pages/login?oauth="


class Providers:
    """Google and Microsoft, and a way through their consent pages."""

    def __init__(self, google: Google, microsoft: Microsoft, firestore_host: str) -> None:
        self.vendors: dict[str, Google | Microsoft] = {"google": google, "microsoft": microsoft}
        self.firestore_host = firestore_host

    def somebody(self, provider: str, email: str, **more: Any) -> Consenting:
        """A new person with an account at the provider."""
        one = Consenting(str(uuid4()), email, "Robin Sample", **more)
        self.vendors[provider].people.append(one)
        return one

    async def consent(self, address: str, one: Consenting, decision: str = "allow") -> str:
        """Where the provider sends the browser back to, as path and query."""
        async with httpx.AsyncClient() as http:
            answer = await http.post(address, data={"person": one.id, "decision": decision})
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"

    async def sign_in(self, provider: str, one: Consenting, browser: Browser, return_to: str = "/portal") -> str:
        """All of a provider sign-in; where the browser ends up."""
        started = await browser.get(f"/api/auth/oauth/{provider}?returnTo={return_to}")
        assert started.status_code == 302, started.text
        finished = await browser.get(await self.consent(started.headers["location"], one))
        assert finished.status_code == 302, finished.text
        return str(finished.headers["location"])


@pytest.fixture(scope="session")
async def _vendors(_world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Providers]:
    google, microsoft = Google(_world.faults), Microsoft(_world.faults)
    firestore = Firestore(
        state_dir=tmp_path_factory.mktemp("firestore"), faults=_world.faults, env={"ANCHOR_EMULATORS": "stand-in"}
    )
    parts = (google, microsoft, firestore)
    for part in parts:
        await part.start()
    yield Providers(google, microsoft, firestore.env["FIRESTORE_EMULATOR_HOST"])
    if "firestore" in _world.services.__dict__:
        await _world.services.__dict__.pop("firestore").close()
    for part in parts:
        await part.stop()


@pytest.fixture
def providers(world: World, _vendors: Providers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Providers]:
    """Provider sign-in switched on, for the stand-ins; new accounts stay closed."""
    told = {name.lower(): value for vendor in _vendors.vendors.values() for name, value in vendor.env.items()}
    before = world.services.settings
    for name, vendor in _vendors.vendors.items():
        monkeypatch.setitem(SECRETS, f"{name.upper()}_OAUTH_CLIENT_SECRET", vendor.client_secret)
    world.services.settings = replace(
        before,
        provider_sign_in_enabled=True,
        firestore_emulator_host=_vendors.firestore_host,
        **{name: value for name, value in told.items() if hasattr(before, name)},
    )
    yield _vendors
    world.services.settings = before


BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])


@BOTH
async def test_a_proven_address_signs_its_account_in(world: World, providers: Providers, provider: str) -> None:
    """Start, consent, back: signed in at the page one came from, without a code; the identity stays linked."""
    who, browser = await person(world), Browser(world)
    one = providers.somebody(provider, who.email.upper())
    assert await providers.sign_in(provider, one, browser) == "http://localhost:8080/portal"
    refreshed = await browser.post("/api/auth/refresh")
    assert refreshed.json()["user"]["id"] == str(who.id)
    assert {"oauth_linked", "oauth_login", "session_created"} <= set(await events(world, who))

    await world.db.execute("update users set email = $2 where id = $1", who.id, f"{uuid4().hex}@changed.test")
    assert await providers.sign_in(provider, one, Browser(world)) == "http://localhost:8080/portal"


@BOTH
async def test_an_unproven_address_signs_nobody_in(world: World, providers: Providers, provider: str) -> None:
    """Whoever writes somebody else's address into a profile gets nothing (Microsoft: without xms_edov)."""
    who, browser = await person(world, "superadmin"), Browser(world)
    mallory = providers.somebody(provider, who.email, email_verified=False)
    assert await providers.sign_in(provider, mallory, browser) == f"{LOGIN}email_unverified"
    assert "refresh_token" not in browser.cookies
    assert await events(world, who) == []


@BOTH
async def test_strangers_get_an_account_only_where_registering_is_open(
    world: World, providers: Providers, provider: str
) -> None:
    """Closed: no account. Open: a client with a proven address and no password."""
    email = f"{uuid4().hex}@mailbox.test"
    one = providers.somebody(provider, email)
    assert await providers.sign_in(provider, one, Browser(world)) == f"{LOGIN}no_account"
    world.services.settings = replace(world.services.settings, registration_enabled=True)
    assert (await providers.sign_in(provider, one, Browser(world))).endswith("/portal")
    row = await world.db.fetchrow("select * from users where email = $1", email)
    assert (row["role"], row["auth_provider"], row["password_hash"]) == ("client", provider, None)
    assert row["email_verified_at"] is not None
    guess = await Browser(world).login(Person(row["id"], email))
    assert guess.json()["code"] == "INVALID_CREDENTIALS"


async def test_a_password_set_before_the_address_was_proven_stops_working(world: World, providers: Providers) -> None:
    """Somebody registers with a victim's address and waits: the victim's Google sign-in ends their password."""
    who = await person(world, verified=False)
    attacker = await world.sign_in(who.id)
    await providers.sign_in("google", providers.somebody("google", who.email), Browser(world))
    assert (await world.call("GET", "/api/auth/me", headers=attacker)).status_code == 401
    assert (await Browser(world).login(who)).status_code == 401


async def test_the_gates_of_passwords_hold_for_providers(world: World, providers: Providers) -> None:
    """Locked, waiting for activation, or asking for a code always: no provider lets one past."""
    waiting, locked, careful = await person(world), await person(world), await person(world)
    await world.db.execute("update client_profiles set onboarding_completed_at = now() where user_id = $1", waiting.id)
    await world.db.execute("update users set locked_until = now() + interval '1 h' where id = $1", locked.id)
    await world.db.execute("insert into user_mfa_settings (user_id, require_mfa_always) values ($1, true)", careful.id)
    for who, word in ((waiting, "account_pending_activation"), (locked, "account_locked"), (careful, "mfa_required")):
        ended = await providers.sign_in("google", providers.somebody("google", who.email), Browser(world))
        assert ended == f"{LOGIN}{word}"


async def test_the_request_carries_pkce_state_and_nonce(world: World, providers: Providers) -> None:
    """S256 challenge, state, nonce, our redirect address; the verifier never leaves the server."""
    browser = Browser(world)
    started = await browser.get("/api/auth/oauth/google")
    query = parse_qs(urlsplit(started.headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["http://localhost:8080/api/auth/oauth/google/callback"]
    assert len(query["state"][0]) == len(query["nonce"][0]) == len(query["code_challenge"][0]) == 43
    [cookie] = started.headers.get_list("set-cookie")
    assert cookie.startswith(f"oauth_state_google={query['state'][0]};")
    for part in ("HttpOnly", "Path=/api/auth/oauth", "SameSite=lax", "Max-Age=600"):
        assert part in cookie


async def test_a_callback_works_once_and_in_its_own_browser(world: World, providers: Providers) -> None:
    """Another browser, a second use, a made-up state, a refusal at the provider: no session."""
    who = await person(world)
    one = providers.somebody("google", who.email)
    victim, attacker = Browser(world), Browser(world)
    started = await attacker.get("/api/auth/oauth/google")
    back = await providers.consent(started.headers["location"], one)
    assert (await victim.get(back)).headers["location"] == f"{LOGIN}state_mismatch"

    cookies = httpx.Cookies(attacker.cookies)
    assert (await attacker.get(back)).headers["location"] == "http://localhost:8080/"
    attacker.cookies = cookies
    assert (await attacker.get(back)).headers["location"] == f"{LOGIN}state_mismatch"

    started = await victim.get("/api/auth/oauth/google")
    denied = await providers.consent(started.headers["location"], one, decision="deny")
    assert (await victim.get(denied)).headers["location"] == f"{LOGIN}missing_code"
    assert (await victim.get("/api/auth/oauth/google/callback")).headers["location"] == f"{LOGIN}missing_code"


async def test_the_way_back_is_a_path_of_ours(world: World, providers: Providers) -> None:
    """An address of another site as returnTo becomes the start page."""
    who = await person(world)
    one = providers.somebody("google", who.email)
    for outside in ("https://evil.test", "//evil.test", "/%5Cevil.test", "%09//evil.test"):
        assert await providers.sign_in("google", one, Browser(world), outside) == "http://localhost:8080/"


async def test_a_provider_that_fails_sends_one_back_to_the_login_page(world: World, providers: Providers) -> None:
    """The provider's trouble is a word in the address, not a crash."""
    who, browser = await person(world), Browser(world)
    one = providers.somebody("google", who.email)
    started = await browser.get("/api/auth/oauth/google")
    back = await providers.consent(started.headers["location"], one)
    world.faults.put("google", Fault(status=500))
    assert (await browser.get(back)).headers["location"] == f"{LOGIN}failed"


async def test_a_start_that_fails_sends_a_person_back_and_tells_a_program(world: World, providers: Providers) -> None:
    """Firestore cannot keep the state: the login page for a browser, a 503 for a program."""
    world.faults.put("firestore", Fault(status=503))
    html = await Browser(world).get("/api/auth/oauth/google", headers={"Accept": "text/html,*/*"})
    assert (html.status_code, html.headers["location"]) == (302, f"{LOGIN}failed")
    assert (await Browser(world).get("/api/auth/oauth/google")).status_code == 503


async def test_switched_off_it_says_so(world: World) -> None:
    """Off by default: a browser goes back to the login page, a program gets a 404 with the code."""
    html = await Browser(world).get("/api/auth/oauth/google", headers={"Accept": "text/html,*/*"})
    assert html.headers["location"] == f"{LOGIN}not_configured"
    program = await Browser(world).get("/api/auth/oauth/google")
    assert (program.status_code, program.json()["code"]) == (404, "OAUTH_NOT_CONFIGURED")
    callback = await Browser(world).get("/api/auth/oauth/google/callback?code=a&state=b")
    assert callback.headers["location"] == f"{LOGIN}not_configured"
    other = await Browser(world).get("/api/auth/oauth/github")
    assert (other.status_code, other.json()["code"]) == (404, "OAUTH_PROVIDER_NOT_SUPPORTED")
