"""Tokens that work: renewed in time, by one instance alone, or said to need a person."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from emulators.faults import Fault
from shared.areas.connections import store, tokens
from shared.errors import NotFound, Reconnect, Rejected, TryLater
from tests.functions.conftest import World
from tests.functions.connections.accounts import MINUTE, Accounts

RENEWING = pytest.mark.parametrize("provider", ["google", "tiktok", "facebook"])


@RENEWING
async def test_a_token_near_its_end_is_renewed(world: World, accounts: Accounts, provider: str) -> None:
    """Two minutes before its end the vendor is asked once; the new token works, is sealed, and serves from then on."""
    owner = await world.client()
    connection_id = await accounts.connected(owner, provider, ends_in=2 * MINUTE)
    old_access, old_refresh = await accounts.tokens(connection_id)

    first = await tokens.fresh_token(accounts.outside(), owner, connection_id)
    second = await tokens.fresh_token(accounts.outside(), owner, connection_id)

    assert first == second != old_access
    assert accounts.vendor(provider).grant_of(first) is not None
    row, (access, refresh) = await accounts.row(connection_id), await accounts.tokens(connection_id)
    assert access == first and first not in str(dict(row))
    assert (refresh == old_refresh) == (provider != "tiktok")  # TikTok's rotate; Google's stay; Facebook has none
    assert row["expires_at"] > datetime.now(UTC) + 30 * MINUTE and row["last_refreshed_at"] is not None


async def test_a_good_token_needs_no_vendor(world: World, accounts: Accounts) -> None:
    """With an hour left, and without an end, the stored token is given although the vendor is out."""
    owner = await world.client()
    world.faults.put("google", Fault(status=503))
    for ends_in in (timedelta(hours=1), None):
        connection_id = await accounts.connected(owner, "google", ends_in=ends_in)
        access, _ = await accounts.tokens(connection_id)
        assert await tokens.fresh_token(accounts.outside(), owner, connection_id) == access


@pytest.mark.parametrize("provider", ["google", "tiktok"])
async def test_many_at_once_renew_once(world: World, accounts: Accounts, provider: str) -> None:
    """Eight calls with an ended token: one asks the vendor, all get its answer, and a rotated token survives."""
    owner = await world.client()
    connection_id = await accounts.connected(owner, provider, ends_in=-MINUTE)
    world.faults.put(provider, Fault(latency_ms=150))
    asked = len(accounts.vendor(provider)._access)

    given = await asyncio.gather(*(tokens.fresh_token(accounts.outside(), owner, connection_id) for _ in range(8)))

    assert len(set(given)) == 1
    assert len(accounts.vendor(provider)._access) == asked + 1
    assert (await accounts.row(connection_id))["is_connected"]


async def test_a_token_that_still_serves_is_given_while_another_renews_it(world: World, accounts: Accounts) -> None:
    """Whoever comes while the lease is held, and minutes are left, gets the old token without waiting."""
    owner = await world.client()
    connection_id = await accounts.connected(owner, "google", ends_in=3 * MINUTE)
    access, _ = await accounts.tokens(connection_id)
    assert await store.take_lease(world.db, connection_id, 0, timedelta(seconds=30))

    async with asyncio.timeout(2):
        assert await tokens.fresh_token(accounts.outside(), owner, connection_id) == access


async def test_a_dead_instance_holds_nobody_up(world: World, accounts: Accounts) -> None:
    """A lease whose holder died ends by itself, and the next call renews."""
    owner = await world.client()
    connection_id = await accounts.connected(owner, "google", ends_in=-MINUTE)
    assert await store.take_lease(world.db, connection_id, 0, timedelta(milliseconds=300))

    async with asyncio.timeout(3):
        renewed = await tokens.fresh_token(accounts.outside(), owner, connection_id)

    assert accounts.google.grant_of(renewed) is not None


@RENEWING
async def test_a_withdrawn_consent_breaks_the_connection_and_is_told(
    world: World, accounts: Accounts, provider: str
) -> None:
    """invalid_grant: broken with a reason, one fact for the staff, and no further call to the vendor."""
    owner, person = await world.client(), accounts.somebody(provider)
    connection_id = await accounts.connected(owner, provider, person=person, ends_in=-MINUTE)
    accounts.vendor(provider).withdraw(person)

    with pytest.raises(Reconnect) as refused:
        await tokens.fresh_token(accounts.outside(), owner, connection_id)
    world.faults.put(provider, Fault(status=500))
    with pytest.raises(Reconnect) as again:
        await tokens.fresh_token(accounts.outside(), owner, connection_id)

    row = await accounts.row(connection_id)
    assert not row["is_connected"] and row["last_error"] == refused.value.reason == again.value.reason
    assert "connect again" in row["last_error"]
    told = await world.outbox("connection-broken", connection_id=str(connection_id))
    assert len(told) == 1


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(status=429), Fault(drop=True)], ids=["503", "429", "cut"])
@RENEWING
async def test_an_outage_changes_nothing(world: World, accounts: Accounts, provider: str, fault: Fault) -> None:
    """While the vendor is out an ended token is TryLater and one with minutes left is given; afterwards all is well."""
    owner = await world.client()
    connection_id = await accounts.connected(owner, provider, ends_in=-MINUTE)
    nearly = await accounts.connected(owner, provider, ends_in=2 * MINUTE)
    access, _ = await accounts.tokens(nearly)
    seen: list[tuple[str, dict[str, object]]] = []
    world.faults.put(provider, fault)
    with pytest.raises(TryLater):
        await tokens.fresh_token(accounts.outside(), owner, connection_id)
    assert await tokens.fresh_token(accounts.outside(seen), owner, nearly) == access
    assert [event for event, _ in seen] == ["token_not_renewed"]
    world.faults.clear(provider)

    assert (await accounts.row(connection_id))["is_connected"]
    assert accounts.vendor(provider).grant_of(await tokens.fresh_token(accounts.outside(), owner, connection_id))


async def test_an_unknown_app_breaks_no_connection(world: World, accounts: Accounts) -> None:
    """A wrong secret of ours is our mistake: the client's consent is as good as before."""
    owner = await world.client()
    connection_id = await accounts.connected(owner, "google", ends_in=-MINUTE)
    secret, accounts.google.client_secret = accounts.google.client_secret, "another"
    try:
        with pytest.raises(Rejected):
            await tokens.fresh_token(accounts.outside(), owner, connection_id)
    finally:
        accounts.google.client_secret = secret
    assert (await accounts.row(connection_id))["is_connected"]


async def test_a_connection_made_anew_while_the_vendor_refuses_the_old_one(world: World, accounts: Accounts) -> None:
    """The refusal of old tokens does not break what somebody connected in the meantime."""
    owner, person = await world.client(), accounts.somebody("google")
    connection_id = await accounts.connected(owner, "google", person=person, ends_in=-MINUTE)
    accounts.google.withdraw(person)
    other = await accounts.connected(await world.client(), "google")
    fresh, _ = await accounts.tokens(other)
    world.faults.put("google", Fault(latency_ms=300))

    asking = asyncio.create_task(tokens.fresh_token(accounts.outside(), owner, connection_id))
    await asyncio.sleep(0.1)
    headers = await world.sign_in(await world.user("admin"))
    edited = await world.call(
        "PUT", f"/api/hub/oauth-connections/{connection_id}", json={"access_token": fresh}, headers=headers
    )

    assert edited.status_code == 200 and await asking == fresh
    assert (await accounts.row(connection_id))["is_connected"]


async def test_a_token_that_the_vendor_refuses_is_renewed_once(world: World, accounts: Accounts) -> None:
    """using: a refused token is renewed and the call repeated; refused again, the connection is broken."""
    owner = await world.client()
    connection_id = await accounts.connected(owner, "google")
    used: list[str] = []

    async def ask(token: str) -> str:
        used.append(token)
        if len(used) == 1:
            raise Reconnect("google", status=401)
        return "answer"

    async def never(_: str) -> str:
        raise Reconnect("google", status=401)

    assert await tokens.using(accounts.outside(), owner, connection_id, ask) == "answer"
    assert len(set(used)) == 2
    with pytest.raises(Reconnect):
        await tokens.using(accounts.outside(), owner, connection_id, never)
    assert not (await accounts.row(connection_id))["is_connected"]
    assert len(await world.outbox("connection-broken", connection_id=str(connection_id))) == 1


async def test_a_missing_permission_breaks_nothing(world: World, accounts: Accounts) -> None:
    """403 says that the consent does not cover a call; the consent itself stays good."""
    owner = await world.client()
    connection_id = await accounts.connected(owner, "google")

    async def ask(_: str) -> None:
        raise Reconnect("google", status=403)

    with pytest.raises(Reconnect):
        await tokens.using(accounts.outside(), owner, connection_id, ask)
    assert (await accounts.row(connection_id))["is_connected"]


async def test_nobody_uses_another_clients_connection(world: World, accounts: Accounts) -> None:
    """A connection is not there for anybody but its client; a revoked one asks for a person."""
    owner = await world.client()
    connection_id = await accounts.connected(owner, "google")
    for stranger in (await world.client(), uuid4()):
        with pytest.raises(NotFound):
            await tokens.fresh_token(accounts.outside(), stranger, connection_id)
    await world.db.execute("update oauth_connections set revoked_at = now() where id = $1", connection_id)
    with pytest.raises(Reconnect):
        await tokens.fresh_token(accounts.outside(), owner, connection_id)


async def test_a_token_never_shows_itself(world: World, accounts: Accounts) -> None:
    """Neither the opened pair nor an error carries a token in its text."""
    owner = await world.client()
    connection_id = await accounts.connected(owner, "google", ends_in=-MINUTE)
    held = await tokens._open(accounts.outside(), owner, connection_id)
    assert held.access not in repr(held) and held.refresh not in repr(held)
