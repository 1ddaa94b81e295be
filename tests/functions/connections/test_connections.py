"""Connections and resources as admins keep them: no secret shown, nothing lost, consents withdrawn at the vendor."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from emulators.faults import Fault
from emulators.vendors.wordpress import PASSWORD_ID
from shared.areas.connections import store, tokens, upkeep
from tests.functions.conftest import SECRETS, World
from tests.functions.connections.accounts import MINUTE, Accounts
from tests.functions.people import run_tasks


async def admin(world: World, role: str = "admin") -> dict[str, str]:
    return await world.sign_in(await world.user(role))


def path(connection_id: object, more: str = "") -> str:
    return f"/api/hub/oauth-connections/{connection_id}{more}"


# --- apps -------------------------------------------------------------------------------------------------------------

APP = {"provider": "google", "client_id": "our-id", "client_secret": "our-secret-0001", "scopes": ["a", "b"]}


async def test_an_app_is_kept_without_showing_its_secret(world: World, accounts: Accounts) -> None:
    """Created, listed, shown, changed, deleted: the secret is sealed and in no answer; an empty one stays."""
    headers = await admin(world, "superadmin")
    made = await world.call("POST", "/api/hub/oauth-providers", json=APP, headers=headers)
    app = made.json()["provider"]
    where = f"/api/hub/oauth-providers/{app['id']}"
    stored = await world.db.fetchval("select client_secret from oauth_providers")
    changed = await world.call("PUT", where, json={"client_secret": "", "is_active": False}, headers=headers)
    after = await world.db.fetchval("select client_secret from oauth_providers")
    seen = [made, changed, await world.call("GET", where, headers=headers)]
    seen.append(await world.call("GET", "/api/hub/oauth-providers", headers=headers))

    assert all(answer.status_code == 200 and "our-secret" not in answer.text for answer in seen)
    assert app["scopes"] == ["a", "b"] and app["has_secret"] and app["is_active"]
    assert stored.startswith("enc:1:") and after == stored
    assert not changed.json()["provider"]["is_active"] and changed.json()["provider"]["client_id"] == "our-id"
    assert (await world.call("POST", "/api/hub/oauth-providers", json=APP, headers=headers)).status_code == 400
    assert (await world.call("DELETE", where, headers=headers)).json() == {"success": True}
    assert (await world.call("GET", where, headers=headers)).status_code == 404


async def test_an_apps_addresses_are_the_vendors_and_ours(world: World, accounts: Accounts) -> None:
    """People and our secret go to no other host than the vendor's, and come back to no other than ours."""
    headers = await admin(world, "superadmin")
    for name, address in (
        ("auth_url", "https://evil.example/auth"),
        ("token_url", "https://evil.example/token"),
        ("token_url", f"{accounts.google.url}.evil.example/token"),
        ("redirect_uri", "https://evil.example/api/hub/oauth/google/callback"),
    ):
        answer = await world.call("POST", "/api/hub/oauth-providers", json={**APP, name: address}, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, name)
    own = {
        "redirect_uri": "http://localhost:8080/api/hub/oauth/google/callback",
        "token_url": accounts.google.url + "/token",
    }
    answer = await world.call("POST", "/api/hub/oauth-providers", json={**APP, **own}, headers=headers)
    assert answer.status_code == 200


async def test_a_configured_app_counts_before_the_environment(world: World, accounts: Accounts) -> None:
    """An active row's id and scopes, and those that name the account, go out; a switched-off one is none."""
    headers, client_id = await admin(world, "superadmin"), await world.client()
    made = (await world.call("POST", "/api/hub/oauth-providers", json=APP, headers=headers)).json()["provider"]
    start = {"json": {"clientId": str(client_id)}, "headers": headers}
    url = (await world.call("POST", "/api/hub/oauth/google/connect", **start)).json()["authUrl"]
    assert "client_id=our-id" in url and "scope=openid+email+profile+a+b" in url
    where = f"/api/hub/oauth-providers/{made['id']}"
    await world.call("PUT", where, json={"is_active": False}, headers=headers)
    url = (await world.call("POST", "/api/hub/oauth/google/connect", **start)).json()["authUrl"]
    assert f"client_id={accounts.google.client_id}" in url


# --- connections ------------------------------------------------------------------------------------------------------


async def test_a_connection_with_tokens_that_somebody_brings(world: World, accounts: Accounts) -> None:
    """Created and edited as the dashboard does, whole list item and all; tokens go in and never come out."""
    headers, client_id = await admin(world), await world.client()
    given = {
        "provider": "google",
        "provider_account_id": "123",
        "access_token": "secret-access-1",
        "refresh_token": "secret-refresh-1",
        "scope_granted": ["one", "two"],
        "external_metadata": {"note": "kept", "api_key": "secret-2", "deep": [{"page_token": "secret-3", "x": 1}]},
    }
    where = f"/api/hub/clients/{client_id}/oauth-connections"
    made = await world.call("POST", where, json=given, headers=headers)
    assert made.status_code == 200 and made.json()["connection"]["scope_granted"] == ["one", "two"]
    [item] = (await world.call("GET", where, headers=headers)).json()["connections"]
    connection_id = UUID(item["id"])
    assert await accounts.tokens(connection_id) == ("secret-access-1", "secret-refresh-1")
    edited = {**item, "provider_account_name": "Renamed", "access_token": "", "refresh_token": "secret-refresh-2"}
    edited["external_metadata"] = {**item["external_metadata"], "password": "secret-4"}
    saved = await world.call("PUT", path(connection_id), json=edited, headers=headers)

    assert saved.status_code == 200 and saved.json()["connection"]["provider_account_name"] == "Renamed"
    assert await accounts.tokens(connection_id) == ("secret-access-1", "secret-refresh-2")
    row = dict(await accounts.row(connection_id))
    for text in (made.text, json.dumps(item), saved.text, str(row)):
        assert "secret-" not in text
    assert row["external_metadata"] == {"note": "kept", "deep": [{"x": 1}]}
    trail = await world.db.fetch("select details::text from security_audit_log")
    assert "secret-" not in str(trail)


async def test_editing_leaves_what_is_not_sent(world: World, accounts: Accounts) -> None:
    """A name alone changes the name alone; what cannot be read of a date is a 400."""
    headers = await admin(world)
    connection_id = await accounts.connected(await world.client(), "google")
    before = dict(await accounts.row(connection_id))
    saved = await world.call("PUT", path(connection_id), json={"provider_account_name": "New"}, headers=headers)
    after = dict(await accounts.row(connection_id))
    assert saved.status_code == 200
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"provider_account_name", "updated_at"}
    wrong = await world.call("PUT", path(connection_id), json={"expires_at": "soon"}, headers=headers)
    assert wrong.status_code == 400


async def test_new_tokens_heal_a_broken_connection(world: World, accounts: Accounts) -> None:
    """An edited token counts at once, whatever the old one's end was."""
    headers = await admin(world)
    connection_id = await accounts.connected(await world.client(), "google", ends_in=-MINUTE)
    await world.db.execute(
        "update oauth_connections set is_connected = false, last_error = 'x' where id = $1", connection_id
    )
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    saved = await world.call(
        "PUT", path(connection_id), json={"access_token": "new", "expires_at": past, "last_error": "x"}, headers=headers
    )
    shown = saved.json()["connection"]
    assert shown["is_connected"] and shown["expires_at"] is None and shown["last_error"] is None


async def test_editing_a_name_loses_no_token_that_is_being_renewed(world: World, accounts: Accounts) -> None:
    """TikTok's refresh tokens rotate: what the vendor gives while somebody edits is all that works afterwards."""
    headers, owner = await admin(world), await world.client()
    connection_id = await accounts.connected(owner, "tiktok", ends_in=-MINUTE)
    world.faults.put("tiktok", Fault(latency_ms=300))

    renewing = asyncio.create_task(tokens.fresh_token(accounts.outside(), owner, connection_id))
    await asyncio.sleep(0.1)
    edited = await world.call("PUT", path(connection_id), json={"provider_account_name": "New"}, headers=headers)
    renewed = await renewing

    assert edited.status_code == 200
    assert (await accounts.tokens(connection_id))[0] == renewed
    assert accounts.tiktok.grant_of(renewed) is not None


@pytest.mark.parametrize("provider", ["google", "facebook", "tiktok"])
@pytest.mark.parametrize("how", ["revoke", "delete"])
async def test_ending_a_connection_withdraws_the_consent(
    world: World, accounts: Accounts, provider: str, how: str
) -> None:
    """Tokens are wiped at once; the vendor is told by a task, after an outage too, and the token is forgotten."""
    headers, client_id, person = await admin(world), await world.client(), accounts.somebody(provider)
    connection_id = await accounts.connected(client_id, provider, person=person)
    access, _ = await accounts.tokens(connection_id)
    request = ("POST", path(connection_id, "/revoke")) if how == "revoke" else ("DELETE", path(connection_id))
    world.faults.put(provider, Fault(status=503, times=1))

    ended = await world.call(*request, headers=headers)
    assert ended.status_code == 200
    row = await accounts.row(connection_id)
    assert row["encrypted_access_token"] is None and row["encrypted_refresh_token"] is None
    assert row["revoked_at"] is not None and not row["is_connected"]
    assert accounts.vendor(provider).grant_of(access) is not None

    [work] = [task for task in world.sent.tasks if task["function"] == "connections_withdraw"]
    assert access not in str(work)
    key = UUID(work["headers"]["X-Outbox-Id"])
    answers = [
        (await world.deliver_task("connections_withdraw", work["payload"], key=key)).status_code for _ in range(2)
    ]
    assert answers == [503, 204]
    assert accounts.vendor(provider).grant_of(access) is None
    kept = await world.db.fetchrow("select * from oauth_withdrawals where oauth_connection_id = $1", connection_id)
    assert kept["sealed_token"] is None and kept["outcome"] == "withdrawn"


async def test_a_withdrawal_that_was_cut_off_half_way_is_finished(world: World, accounts: Accounts) -> None:
    """TikTok's refresh token was spent by a try that got no further: the next one still ends the consent."""
    headers, person = await admin(world), accounts.somebody("tiktok")
    connection_id = await accounts.connected(await world.client(), "tiktok", person=person)
    access, refresh = await accounts.tokens(connection_id)
    accounts.tiktok._renew(refresh)
    await world.call("POST", path(connection_id, "/revoke"), headers=headers)
    await run_tasks(world)
    assert accounts.tiktok.grant_of(access) is None


async def test_deleting_a_client_withdraws_its_consents(world: World, accounts: Accounts) -> None:
    """The vendors are told although nothing of the client is left here."""
    headers, client_id = await admin(world), await world.client()
    kept = {name: await accounts.connected(client_id, name) for name in ("google", "facebook", "tiktok")}
    tokens_of = {name: (await accounts.tokens(one))[0] for name, one in kept.items()}
    gone = await world.call("DELETE", f"/api/hub/clients/{client_id}", headers=headers)
    await run_tasks(world)
    assert gone.status_code == 200
    assert [accounts.vendor(name).grant_of(token) for name, token in tokens_of.items()] == [None] * 3


async def test_a_consent_that_another_client_stands_on_is_left_alone(world: World, accounts: Accounts) -> None:
    """An agency's account may serve several clients: ending one of them does not end the others."""
    headers, person = await admin(world), accounts.somebody("google")
    first = await accounts.connected(await world.client(), "google", person=person)
    second = await accounts.connected(await world.client(), "google", person=person)
    access, _ = await accounts.tokens(second)
    await world.call("POST", path(first, "/revoke"), headers=headers)
    await run_tasks(world)
    assert accounts.google.grant_of(access) is not None
    outcome = await world.db.fetchval("select outcome from oauth_withdrawals where oauth_connection_id = $1", first)
    assert "another client" in outcome


async def test_a_withdrawal_that_comes_late_spares_the_new_consent(world: World, accounts: Accounts) -> None:
    """Connected again before the vendor was told: the waiting withdrawal is called off."""
    headers, client_id, person = await admin(world), await world.client(), accounts.somebody("google")
    connection_id = await accounts.connected(client_id, "google", person=person)
    await world.call("POST", path(connection_id, "/revoke"), headers=headers)
    again = {"provider": "google", "provider_account_id": person.id, "access_token": "new"}
    await world.call("POST", f"/api/hub/clients/{client_id}/oauth-connections", json=again, headers=headers)
    world.faults.put("google", Fault(status=500))
    await run_tasks(world)
    kept = await world.db.fetchrow("select * from oauth_withdrawals where oauth_connection_id = $1", connection_id)
    assert kept["outcome"] == "connected again" and kept["sealed_token"] is None


async def test_an_application_password_is_deleted_at_its_site(world: World, accounts: Accounts) -> None:
    """Ending a connection to a WordPress site deletes the application password there."""
    headers = await admin(world)
    connection_id = await accounts.self_hosted(await world.client())
    assert PASSWORD_ID in accounts.wordpress.passwords
    await world.call("DELETE", path(connection_id), headers=headers)
    await run_tasks(world)
    assert PASSWORD_ID not in accounts.wordpress.passwords


async def test_a_consent_that_may_not_be_withdrawn_is_not_called_withdrawn(world: World, accounts: Accounts) -> None:
    """The vendor forbids it: the outcome says so, and the tokens are forgotten."""
    headers = await admin(world)
    connection_id = await accounts.connected(await world.client(), "facebook")
    await world.call("POST", path(connection_id, "/revoke"), headers=headers)
    world.faults.put("facebook", Fault(status=403, times=1))
    await run_tasks(world)
    kept = await world.db.fetchrow("select * from oauth_withdrawals where oauth_connection_id = $1", connection_id)
    assert kept["sealed_token"] is None and kept["outcome"] == "this vendor does not let us withdraw it"


async def test_withdrawals_move_to_a_new_key(world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that waits to be withdrawn is sealed again by a key rotation, and still ends its consent."""
    headers, person = await admin(world), accounts.somebody("google")
    connection_id = await accounts.connected(await world.client(), "google", person=person)
    access, _ = await accounts.tokens(connection_id)
    await world.call("POST", path(connection_id, "/revoke"), headers=headers)
    ring = json.loads(SECRETS["ENCRYPTION_KEYS"])
    ring["keys"]["t2"] = base64.b64encode(b"n" * 32).decode()
    monkeypatch.setitem(SECRETS, "ENCRYPTION_KEYS", json.dumps({**ring, "current": "t2"}))
    world.services._key_ring = None
    try:
        assert (await world.run_schedule("jobs_reseal_old_keys")).status_code == 204
        sealed = await world.db.fetchval(
            "select sealed_token from oauth_withdrawals where oauth_connection_id = $1", connection_id
        )
        await run_tasks(world)
    finally:
        monkeypatch.undo()
        world.services._key_ring = None
        await world.db.execute("update oauth_withdrawals set sealed_token = null, sealed_key_id = null")
    assert sealed.startswith("enc:1:t2:")
    assert accounts.google.grant_of(access) is None


async def test_unknown_connections_are_not_there(world: World, accounts: Accounts) -> None:
    """Every address of a connection or client that is not there, or was removed, is a 404."""
    headers, removed = await admin(world), await accounts.connected(await world.client(), "google")
    await world.call("DELETE", path(removed), headers=headers)
    for one in (uuid4(), removed, "not-an-id"):
        for method, where, body in (
            ("PUT", path(one), {}),
            ("POST", path(one, "/revoke"), {}),
            ("DELETE", path(one), None),
            ("GET", path(one, "/resources"), None),
            (
                "POST",
                path(one, "/resources"),
                {"resource_type": "google_location", "resource_id": "1", "resource_name": "x"},
            ),
            ("GET", path(one, "/google-accounts"), None),
            ("GET", path(one, "/google-locations?accountName=accounts/1"), None),
            ("GET", path(one, "/facebook-pages"), None),
            ("GET", path(one, "/instagram-accounts"), None),
            ("GET", path(one, "/tiktok-account"), None),
            ("GET", path(one, "/wordpress-sites"), None),
        ):
            options = {"json": body} if body is not None else {}
            answer = await world.call(method, where, headers=headers, **options)
            assert answer.status_code == 404, (method, where, answer.text)
    for where in ("oauth-connections", "oauth-resources"):
        assert (await world.call("GET", f"/api/hub/clients/{uuid4()}/{where}", headers=headers)).status_code == 404


# --- resources --------------------------------------------------------------------------------------------------------


async def add(world: World, headers: dict[str, str], connection_id: UUID, number: str, **more: Any) -> Any:
    body = {"resource_type": "google_location", "resource_id": number, "resource_name": f"Place {number}", **more}
    return await world.call("POST", path(connection_id, "/resources"), json=body, headers=headers)


async def test_resources_are_chosen_changed_and_listed(world: World, accounts: Accounts) -> None:
    """One primary at a time, listed first; the count and both lists agree."""
    headers, client_id = await admin(world), await world.client()
    connection_id = await accounts.connected(client_id, "google")
    first = (await add(world, headers, connection_id, "11", is_primary=True)).json()["resource"]
    second = (await add(world, headers, connection_id, "locations/22", is_primary=True)).json()["resource"]
    assert second["resource_id"] == "22" and second["is_primary"] and second["is_enabled"]
    listed = (await world.call("GET", path(connection_id, "/resources"), headers=headers)).json()["resources"]
    assert [(one["resource_id"], one["is_primary"]) for one in listed] == [("22", True), ("11", False)]
    edited = {**first, "is_primary": True, "resource_url": "https://example.com", "is_enabled": False}
    answer = await world.call("PUT", f"/api/hub/oauth-resources/{first['id']}", json=edited, headers=headers)
    assert answer.json()["resource"]["resource_url"] == "https://example.com"
    of_client = await world.call("GET", f"/api/hub/clients/{client_id}/oauth-resources", headers=headers)
    assert [(one["resource_id"], one["is_primary"]) for one in of_client.json()["resources"]] == [
        ("11", True),
        ("22", False),
    ]
    assert of_client.json()["resources"][0]["connection_name"] == "Robin Sample"
    [item] = (await world.call("GET", f"/api/hub/clients/{client_id}/oauth-connections", headers=headers)).json()[
        "connections"
    ]
    assert item["resource_count"] == "2"
    active = await store.active_resources(world.db, client_id, "google_location")
    assert [one["resource_id"] for one in active] == ["22"]  # the other one is switched off


async def test_a_resource_fits_its_connection_and_is_chosen_once(world: World, accounts: Accounts) -> None:
    """Another vendor's kind, a location that is no number, and a second choice of the same are refused."""
    headers = await admin(world)
    connection_id = await accounts.connected(await world.client(), "google")
    assert (await add(world, headers, connection_id, "7")).status_code == 200
    assert (await add(world, headers, connection_id, "7")).status_code == 400
    assert (await add(world, headers, connection_id, "../7")).status_code == 400
    assert (await add(world, headers, connection_id, "8", resource_type="facebook_page")).status_code == 400


async def test_a_removed_resource_keeps_its_history(world: World, accounts: Accounts) -> None:
    """Reviews still know their location after it was removed, and a location that is chosen again is the same one."""
    headers, client_id = await admin(world), await world.client()
    connection_id = await accounts.connected(client_id, "google")
    resource = (await add(world, headers, connection_id, "5", is_primary=True)).json()["resource"]
    review_id = await world.db.fetchval(
        """insert into reviews (client_id, oauth_resource_id, platform, platform_review_id, reviewer_name, rating,
               review_created_at) values ($1, $2, 'google', $3, 'A', 5, now()) returning id""",
        client_id, UUID(resource["id"]), uuid4().hex,
    )  # fmt: skip
    where = f"/api/hub/oauth-resources/{resource['id']}"
    for _ in range(2):
        removed = await world.call("DELETE", where, headers=headers)
        assert removed.json() == {"success": True}
        assert (await world.call("DELETE", where, headers=headers)).status_code == 404
        assert await store.active_resources(world.db, client_id, "google_location") == []
        kept = await world.db.fetchval("select oauth_resource_id from reviews where id = $1", review_id)
        assert str(kept) == resource["id"]
        again = (await add(world, headers, connection_id, "5")).json()["resource"]
        assert again["id"] == resource["id"] and again["is_enabled"] and not again["is_primary"]
    await world.call("DELETE", path(connection_id), headers=headers)
    assert await world.db.fetchval("select oauth_resource_id from reviews where id = $1", review_id) == kept


# --- upkeep -----------------------------------------------------------------------------------------------------------


async def test_tokens_near_their_end_are_renewed_by_schedule(world: World, accounts: Accounts) -> None:
    """Facebook's and TikTok's before they end, Google's once a day; what is fine is left alone."""
    await world.db.execute("delete from oauth_connections")  # a schedule goes through all
    client_id = await world.client()
    due = [
        await accounts.connected(client_id, "facebook", ends_in=timedelta(days=5)),
        await accounts.connected(client_id, "tiktok", ends_in=timedelta(hours=1)),
        await accounts.connected(client_id, "google", ends_in=-MINUTE),
    ]
    fine = [
        await accounts.connected(client_id, "facebook", ends_in=timedelta(days=40)),
        await accounts.connected(client_id, "google", ends_in=None),
    ]
    await world.db.execute("update oauth_connections set created_at = now() - interval '2 days'")
    fresh = await accounts.connected(client_id, "google", ends_in=-MINUTE)  # connected just now: used, or not, anyway
    before = {one: await accounts.tokens(one) for one in (*due, *fine, fresh)}

    assert (await world.run_schedule("connections_renew_expiring")).status_code == 204

    changed = {one for one in before if await accounts.tokens(one) != before[one]}
    assert changed == set(due)


async def test_a_schedule_goes_on_past_what_fails(world: World, accounts: Accounts) -> None:
    """One vendor out and one consent withdrawn: the others are renewed, and the run is good."""
    await world.db.execute("delete from oauth_connections")  # a schedule goes through all
    client_id, person = await world.client(), accounts.somebody("google")
    gone = await accounts.connected(client_id, "google", person=person, ends_in=-MINUTE)
    out = await accounts.connected(client_id, "tiktok", ends_in=MINUTE)
    good = await accounts.connected(client_id, "google", ends_in=-MINUTE)
    await world.db.execute("update oauth_connections set created_at = now() - interval '2 days'")
    accounts.google.withdraw(person)
    world.faults.put("tiktok", Fault(status=503))
    before = await accounts.tokens(good)
    assert (await world.run_schedule("connections_renew_expiring")).status_code == 204
    assert await accounts.tokens(good) != before
    assert [(await accounts.row(one))["is_connected"] for one in (gone, out)] == [False, True]


async def test_many_of_one_vendor_do_not_keep_another_waiting(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that cannot take all takes of each vendor, however long another vendor's have been due."""
    await world.db.execute("delete from oauth_connections")  # a schedule goes through all
    monkeypatch.setattr(upkeep, "BATCH", 2)
    client_id = await world.client()
    for _ in range(3):
        await accounts.connected(client_id, "google", ends_in=-60 * MINUTE)
    behind = await accounts.connected(client_id, "tiktok", ends_in=MINUTE)
    await world.db.execute("update oauth_connections set created_at = now() - interval '2 days'")
    before = await accounts.tokens(behind)
    assert (await world.run_schedule("connections_renew_expiring")).status_code == 204
    assert await accounts.tokens(behind) != before


async def test_the_staff_hears_of_a_broken_connection_once(world: World, accounts: Accounts) -> None:
    """A notice and a mail name client, vendor and reason; the same message again adds nothing."""
    await world.db.execute("delete from oauth_connections")  # a schedule goes through all
    boss = await world.user("superadmin")
    client_id, person = await world.client(), accounts.somebody("google")
    connection_id = await accounts.connected(client_id, "google", person=person, ends_in=-MINUTE)
    accounts.google.withdraw(person)
    await world.db.execute(
        "update oauth_connections set created_at = now() - interval '2 days' where id = $1", connection_id
    )
    await world.run_schedule("connections_renew_expiring")
    [message] = [one for one in world.sent.messages if one["topic"] == "connection-broken"]
    key = UUID(message["attributes"]["outbox_id"])
    for _ in range(2):
        answer = await world.deliver_event("connections_announce_break", message["payload"], key=key)
        assert answer.status_code == 204
    notices = await world.db.fetch("select * from notifications where user_id = $1", boss)
    [notice] = [one for one in notices if one["meta"].get("connection_id") == str(connection_id)]
    assert "Google" in notice["title"] and "connect again" in notice["body"] and notice["link_url"] == "/client-hub"
    await world.db.execute("update oauth_connections set is_connected = true where id = $1", connection_id)
    healed = await world.deliver_event("connections_announce_break", message["payload"])
    assert healed.status_code == 204
    count = await world.db.fetchval("select count(*) from notifications where user_id = $1", boss)
    assert count == len(notices)
