"""Sessions: refresh tokens, what ends a session, the session cookie, impersonation, acting for a client."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import bcrypt
import httpx
import pytest
from starlette.requests import Request

from shared.areas.accounts import passwords, store
from shared.areas.accounts import service as accounts
from shared.areas.accounts.means import means
from shared.areas.accounts.rules import token_hash
from shared.manifest import BY_NAME
from shared.runtime import acting
from shared.runtime.identity import Identity, User
from tests.functions.conftest import World, access_token
from tests.functions.people import (
    ORIGIN,
    PASSWORD,
    Browser,
    Person,
    events,
    hashed,
    mailed_code,
    mailed_token,
    person,
    run_tasks,
)


async def _signed_in(world: World, role: str = "client") -> tuple[Person, Browser, dict[str, str]]:
    who, browser = await person(world, role), Browser(world)
    return who, browser, browser.bearer(await browser.sign_in(who))


async def _refresh(world: World, token: str) -> httpx.Response:
    """Refresh as a tab with this cookie, which keeps nothing."""
    return await world.http.post("/api/auth/refresh", headers={"Cookie": f"refresh_token={token}", "Origin": ORIGIN})


async def test_refresh_rotates_the_cookie_and_answers_the_user(world: World) -> None:
    """A refresh answers a token, its lifetime and the user, and replaces both cookies."""
    who, browser, _ = await _signed_in(world)
    before = browser.cookies["refresh_token"]
    answer = await browser.post("/api/auth/refresh")
    body = answer.json()
    assert (answer.status_code, body["expiresIn"], body["user"]["id"]) == (200, 900, str(who.id))
    assert browser.cookies["refresh_token"] != before
    me = await world.call("GET", "/api/auth/me", headers=browser.bearer(body))
    assert me.json()["user"] == body["user"]


async def test_two_refreshes_at_the_same_instant_are_one_rotation(world: World) -> None:
    """200 times two tabs refresh at once: both get the same new token, one chain goes on, nobody is logged out."""
    who, browser, _ = await _signed_in(world)
    token = browser.cookies["refresh_token"]
    for _ in range(200):
        answers = await asyncio.gather(_refresh(world, token), _refresh(world, token))
        world.http.cookies.clear()
        assert [answer.status_code for answer in answers] == [200, 200]
        successors = {answer.cookies["refresh_token"] for answer in answers}
        assert len(successors) == 1
        assert token not in successors
        token = successors.pop()
    rows = await world.db.fetch("select refresh_token_hash, revoked_at from user_sessions where user_id = $1", who.id)
    assert [(row["refresh_token_hash"], row["revoked_at"]) for row in rows] == [(token_hash(token), None)]


async def test_a_tab_two_rotations_behind_is_answered_within_the_grace(world: World) -> None:
    """Three quick reloads: the slowest tab gets the token that is current by then."""
    _, browser, _ = await _signed_in(world)
    first = browser.cookies["refresh_token"]
    await browser.post("/api/auth/refresh")
    await browser.post("/api/auth/refresh")
    late = await _refresh(world, first)
    world.http.cookies.clear()
    assert late.cookies["refresh_token"] == browser.cookies["refresh_token"]


@pytest.mark.parametrize("rotations", [1, 3])
async def test_an_exchanged_token_presented_later_ends_the_family(world: World, rotations: int) -> None:
    """After the grace a used token, of whatever generation, is a stolen one: the whole session ends."""
    who, browser, headers = await _signed_in(world)
    stolen = browser.cookies["refresh_token"]
    for _ in range(rotations):
        await browser.post("/api/auth/refresh")
    await world.db.execute("update retired_refresh_tokens set retired_at = retired_at - interval '31 s'")

    replay = await _refresh(world, stolen)
    assert (replay.status_code, replay.json()["code"], replay.json()["error"]) == (
        401, "REFRESH_FAILED", "session_revoked",
    )  # fmt: skip
    assert "refresh_token=; Max-Age=0" in str(replay.headers.get_list("set-cookie"))
    assert (await browser.post("/api/auth/refresh")).json()["error"] == "session_revoked"
    assert (await world.call("GET", "/api/auth/me", headers=headers)).json()["reason"] == "revoked"
    reason = await world.db.fetchval("select revoked_reason from user_sessions where user_id = $1", who.id)
    assert reason == "reuse_detected"


@pytest.mark.parametrize(
    ("column", "error"), [("refresh_expiry_at", "refresh_expired"), ("absolute_expiry_at", "session_expired")]
)
async def test_a_session_ends_by_time(world: World, column: str, error: str) -> None:
    """30 days without a refresh, or 90 days in all, end a session."""
    who, browser, headers = await _signed_in(world)
    await world.db.execute(f"update user_sessions set {column} = now() where user_id = $1", who.id)
    assert (await browser.post("/api/auth/refresh")).json()["error"] == error
    assert (await world.call("GET", "/api/auth/me", headers=headers)).status_code == 401


async def test_refreshing_slides_within_ninety_days(world: World) -> None:
    """A refresh gives 30 more days, never beyond the absolute end."""
    who, browser, _ = await _signed_in(world)
    await world.db.execute(
        "update user_sessions set refresh_expiry_at = now() + interval '1 day', "
        "absolute_expiry_at = now() + interval '5 days' where user_id = $1",
        who.id,
    )
    await browser.post("/api/auth/refresh")
    assert await world.db.fetchval(
        "select refresh_expiry_at = absolute_expiry_at from user_sessions where user_id = $1", who.id
    )


async def test_refresh_without_a_cookie_or_with_nonsense(world: World) -> None:
    """No cookie: NO_REFRESH_TOKEN. Anything else: invalid_token."""
    assert (await Browser(world).post("/api/auth/refresh")).json()["code"] == "NO_REFRESH_TOKEN"
    for token in ("x", "A" * 43, "é"):
        answer = await world.http.post("/api/auth/refresh", headers={"Cookie": f"refresh_token={token}".encode()})
        assert answer.json()["error"] == "invalid_token"


async def test_a_failing_database_leaves_the_cookies_alone(world: World) -> None:
    """A 5xx tells the browser nothing about its cookies: the next try may work."""
    _, browser, _ = await _signed_in(world)
    settings = world.services.settings
    broken = replace(settings, database_url="postgresql://127.0.0.1:1/none", database_acquire_timeout_s=0.5)
    world.services.settings = broken
    database = world.services.__dict__.pop("db")
    try:
        answer = await browser.post("/api/auth/refresh")
    finally:
        world.services.settings = settings
        world.services.__dict__["db"] = database
    assert answer.status_code == 503
    assert "set-cookie" not in answer.headers


async def test_signing_out_ends_the_session_even_with_an_expired_token(world: World) -> None:
    """The refresh cookie alone names the session to end; the answer is 204 always."""
    who, browser, headers = await _signed_in(world)
    session_id = await world.db.fetchval("select id from user_sessions where user_id = $1", who.id)
    expired = {"Authorization": f"Bearer {access_token(who.id, session_id, lifetime=timedelta(seconds=-5))}"}
    answer = await browser.post("/api/auth/logout", headers=expired)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "refresh_token" not in browser.cookies
    assert (await world.call("GET", "/api/auth/me", headers=headers)).status_code == 401
    assert (await Browser(world).post("/api/auth/logout")).status_code == 204


async def test_signing_out_is_told_once(world: World) -> None:
    """Token and cookie name one session: one event in the trail, not two."""
    who, browser, headers = await _signed_in(world)
    assert (await browser.post("/api/auth/logout", headers=headers)).status_code == 204
    assert (await events(world, who)).count("session_ended") == 1


async def test_ending_sessions_one_by_one_and_all_at_once(world: World) -> None:
    """The list shows living sessions; one can be ended, all others, or all."""
    who, browser, headers = await _signed_in(world)
    others = [Browser(world), Browser(world)]
    tokens = [other.bearer(await other.sign_in(who)) for other in others]
    shown = (await world.call("GET", "/api/auth/sessions", headers=headers)).json()["sessions"]
    assert len(shown) == 3
    assert [one["isCurrent"] for one in shown].count(True) == 1
    assert set(shown[0]) == {
        "id", "deviceName", "ipAddress", "location", "lastActivity", "createdAt", "isTrusted", "isCurrent",
    }  # fmt: skip

    second = (await world.call("GET", "/api/auth/sessions", headers=tokens[0])).json()["sessions"]
    [mine] = [one["id"] for one in second if one["isCurrent"]]
    ended = await world.call("DELETE", f"/api/auth/sessions/{mine}", headers=headers)
    assert ended.status_code == 200
    assert (await world.call("GET", "/api/auth/me", headers=tokens[0])).json()["reason"] == "revoked"
    assert (await world.call("DELETE", f"/api/auth/sessions/{mine}", headers=headers)).status_code == 404

    kept = await world.call("POST", "/api/auth/logout-all", json={"keepCurrent": True}, headers=headers)
    assert kept.status_code == 200
    assert (await world.call("GET", "/api/auth/me", headers=tokens[1])).status_code == 401
    assert (await world.call("GET", "/api/auth/me", headers=headers)).status_code == 200
    await browser.post("/api/auth/logout-all", headers=headers)
    assert (await world.call("GET", "/api/auth/me", headers=headers)).status_code == 401


async def test_the_session_cookie_keeps_an_old_page_working(world: World) -> None:
    """A page whose token has expired goes on by the cookie: reads, and writes that come from our own pages."""
    who, browser, _ = await _signed_in(world)
    session_id = await world.db.fetchval("select id from user_sessions where user_id = $1", who.id)
    expired = {"Authorization": f"Bearer {access_token(who.id, session_id, lifetime=timedelta(seconds=-1))}"}
    assert (await browser.get("/api/auth/me", headers=expired)).status_code == 200
    assert (await browser.get("/api/auth/me")).status_code == 200
    assert (await browser.post("/api/auth/logout-all", {"keepCurrent": True}, headers=expired)).status_code == 200
    foreign = {"Origin": "https://evil.test"}
    assert (await browser.post("/api/auth/logout-all", {}, headers=foreign)).status_code == 401


async def test_the_session_cookie_never_makes_a_page_somebody_else(world: World) -> None:
    """An expired page of one person is not served by the cookie of another who signed in since."""
    first, _, _ = await _signed_in(world)
    _, browser, _ = await _signed_in(world)
    expired = {"Authorization": f"Bearer {access_token(first.id, uuid4(), lifetime=timedelta(seconds=-1))}"}
    assert (await browser.get("/api/auth/me", headers=expired)).status_code == 401


async def test_the_session_cookie_slides_with_use(world: World) -> None:
    """A cookie of some age is renewed by the answer it was used for; a young one is not."""
    who, browser, _ = await _signed_in(world)
    assert "set-cookie" not in (await browser.get("/api/auth/me")).headers
    session_id = await world.db.fetchval("select id from user_sessions where user_id = $1", who.id)
    old = access_token(who.id, session_id, lifetime=timedelta(hours=11), iat=0)
    answer = await world.http.get("/api/auth/me", headers={"Cookie": f"session={old}"})
    world.http.cookies.clear()
    assert answer.status_code == 200
    [line] = answer.headers.get_list("set-cookie")
    assert line.startswith("session=") and "Max-Age=43200" in line and old not in line


async def test_cookies_are_secure_and_strict_in_the_cloud(world: World) -> None:
    """Outside of a laptop: Secure everywhere, SameSite=Strict for the refresh token, Lax for links."""
    who, browser = await person(world), Browser(world)
    await browser.sign_in(who)
    settings = world.services.settings
    world.services.settings = replace(settings, environment="prod")
    try:
        answer = await browser.login(who)
    finally:
        world.services.settings = settings
    told = {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}
    assert all("Secure" in line and "HttpOnly" in line for line in told.values())
    assert "SameSite=strict" in told["refresh_token"] and "SameSite=strict" in told["impersonator"]
    assert "SameSite=lax" in told["session"]


async def test_a_new_password_and_a_changed_factor_end_every_session(world: World) -> None:
    """Seeds: password change and MFA change revoke all sessions."""
    who, browser, headers = await _signed_in(world)
    await Browser(world).post("/api/auth/forgot-password", {"email": who.email})
    token = await mailed_token(world, who)
    form = {"token": token, "password": "Another-Fine-9182!"}
    assert (await Browser(world).post("/api/auth/reset-password", form)).status_code == 200
    assert (await world.call("GET", "/api/auth/me", headers=headers)).json()["reason"] == "revoked"
    who.password = form["password"]
    headers = browser.bearer(await browser.sign_in(who))
    change = {"password": who.password, "emailOtpEnabled": True}
    changed = await browser.send("PATCH", "/api/auth/mfa/settings", json=change, headers=headers)
    assert (await world.call("GET", "/api/auth/me", headers=headers)).json()["reason"] == "revoked"
    assert (await world.call("GET", "/api/auth/me", headers=browser.bearer(changed.json()))).status_code == 200
    reasons = await world.db.fetch("select distinct revoked_reason as r from user_sessions where user_id = $1", who.id)
    assert {row["r"] for row in reasons} == {"password_change", "mfa_change", None}


async def _replace_password(world: World, who: Person) -> None:
    """The owner sets another password, from wherever."""
    outside = await means(world.services)
    async with world.db.transaction() as tx:
        await accounts.change_password(tx, who.id, hashed("Other-Wolke-93!"), None, outside)


async def test_a_password_replaced_while_it_was_checked_signs_nobody_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sign-in that began before the change and ends after it opens no session, on a trusted device either."""
    who, browser, _ = await _signed_in(world)
    check = passwords.check

    async def overtaken(password: str, stored: str | None) -> passwords.Checked:
        found = await check(password, stored)
        await _replace_password(world, who)
        return found

    monkeypatch.setattr(passwords, "check", overtaken)
    answer = await browser.login(who)
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_CREDENTIALS")
    alive = "select count(*) from user_sessions where user_id = $1 and revoked_at is null"
    assert await world.db.fetchval(alive, who.id) == 0


async def test_two_sign_ins_that_renew_one_bcrypt_hash_both_succeed(world: World) -> None:
    """A better hash of the same password is no other password."""
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    who, browser = await person(world, password_hash=old), Browser(world)
    answers = await asyncio.gather(*(browser.login(who) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_a_code_asked_for_with_the_old_password_signs_nobody_in(world: World) -> None:
    """A new password, and signing out everywhere, end the sign-ins that wait for their code."""
    who, _, headers = await _signed_in(world)

    async def end_sessions() -> None:
        await world.call("POST", "/api/auth/logout-all", json={"keepCurrent": True}, headers=headers)

    async def replace_password() -> None:
        await _replace_password(world, who)

    for change in (end_sessions, replace_password):
        other = Browser(world)
        asked = (await other.login(who)).json()
        form = {"challengeId": asked["challengeId"], "code": await mailed_code(world, who)}
        await change()
        answer = await other.post("/api/auth/verify-mfa", form)
        assert (answer.status_code, answer.json()["error"]) == (400, "expired")


# --- impersonation ----------------------------------------------------------------------------------------------------


async def test_an_admin_becomes_a_client_and_comes_back(world: World) -> None:
    """Start: the client's session, naming the admin. Stop: the admin's own session again. Both trails tell both."""
    client = await person(world)
    admin, browser, headers = await _signed_in(world, "admin")
    started = await browser.post(f"/api/auth/impersonate/{client.id}", {}, headers=headers)
    body = started.json()
    assert (body["user"]["id"], body["impersonator"]) == (str(client.id), str(admin.id))
    assert browser.cookies["impersonator"] == str(admin.id)
    as_client = browser.bearer(body)
    me = (await world.call("GET", "/api/auth/me", headers=as_client)).json()
    assert (me["user"]["id"], me["impersonator"]) == (str(client.id), str(admin.id))
    assert (await browser.post("/api/auth/refresh")).json()["user"]["id"] == str(client.id)

    stopped = await browser.post("/api/auth/stop-impersonation", headers=as_client)
    assert stopped.json()["user"]["id"] == str(admin.id)
    assert browser.cookies["impersonator"] in ("", '""')
    assert (await world.call("GET", "/api/auth/me", headers=as_client)).status_code == 401
    assert (await browser.post("/api/auth/refresh")).json()["user"]["id"] == str(admin.id)
    for who in (admin, client):
        assert [e for e in await events(world, who) if e.startswith("impers")] == [
            "impersonation_start", "impersonation_end",
        ]  # fmt: skip


async def test_a_token_from_before_an_impersonation_is_a_stolen_one_after_it(world: World) -> None:
    """Coming back gives the admin's session a new token; the one before it, presented later, ends the session."""
    client = await person(world)
    admin, browser, headers = await _signed_in(world, "admin")
    before = browser.cookies["refresh_token"]
    body = (await browser.post(f"/api/auth/impersonate/{client.id}", {}, headers=headers)).json()
    await browser.post("/api/auth/stop-impersonation", headers=browser.bearer(body))
    await world.db.execute(
        "update retired_refresh_tokens set retired_at = now() - interval '31 s' where token_hash = $1",
        token_hash(before),
    )
    assert (await _refresh(world, before)).json()["error"] == "session_revoked"
    assert "session_revoked" in await events(world, admin)
    assert (await browser.post("/api/auth/refresh")).status_code == 401


async def test_only_people_below_can_be_impersonated(world: World) -> None:
    """Equals and betters are refused; so are strangers' ids, a missing id, and a second step from inside."""
    _, browser, headers = await _signed_in(world, "admin")
    for role, status in (("superadmin", 403), ("admin", 403), ("team", 200)):
        target = await person(world, role)
        admin_headers = browser.bearer(await browser.sign_in(await person(world, "admin")))
        answer = await browser.post("/api/auth/impersonate", {"user_id": str(target.id)}, headers=admin_headers)
        assert answer.status_code == status, role
    assert (await browser.post(f"/api/auth/impersonate/{uuid4()}", {}, headers=headers)).status_code == 404
    assert (await browser.post("/api/auth/impersonate", {}, headers=headers)).json()["code"] == "MISSING_USER_ID"
    client = browser.bearer(
        (await browser.post(f"/api/auth/impersonate/{(await person(world)).id}", {}, headers=headers)).json()
    )
    assert (await browser.post(f"/api/auth/impersonate/{uuid4()}", {}, headers=client)).status_code == 403


async def test_an_impersonator_cannot_change_the_second_factor(world: World) -> None:
    """What protects an account is its owner's alone to change."""
    client = await person(world)
    _, browser, headers = await _signed_in(world, "admin")
    body = (await browser.post(f"/api/auth/impersonate/{client.id}", {}, headers=headers)).json()
    as_client = browser.bearer(body)
    for path in ("/api/auth/mfa/totp", "/api/auth/mfa/totp/remove", "/api/auth/mfa/backup-codes"):
        assert (await browser.post(path, {"password": PASSWORD}, headers=as_client)).status_code == 403
    confirm = await browser.post("/api/auth/mfa/totp/confirm", {"code": "123456"}, headers=as_client)
    assert confirm.status_code == 403


async def test_what_an_impersonator_changes_names_the_admin(world: World) -> None:
    """Each write as somebody else is in the admin's own trail, with whom and what; reading is not."""
    client = await person(world)
    admin, browser, headers = await _signed_in(world, "admin")
    body = (await browser.post(f"/api/auth/impersonate/{client.id}", {}, headers=headers)).json()
    as_client = browser.bearer(body)
    await browser.get("/api/auth/sessions", headers=as_client)
    await browser.post("/api/auth/logout-all", {"keepCurrent": True}, headers=as_client)
    rows = await world.db.fetch(
        """select details ->> 'target' as target, details ->> 'function' as function from security_audit_log
           where user_id = $1 and event_type = 'acted_while_impersonating'""",
        admin.id,
    )
    assert [tuple(row) for row in rows] == [(str(client.id), "accounts_sign_out_everywhere")]


async def test_an_impersonation_ends_with_the_session_it_came_from(world: World) -> None:
    """Whatever ends the admin's session ends what they are somebody else in."""
    client = await person(world)
    admin, browser, headers = await _signed_in(world, "admin")
    body = (await browser.post(f"/api/auth/impersonate/{client.id}", {}, headers=headers)).json()
    await world.call("POST", "/api/auth/logout-all", json={}, headers=headers)
    ended = await world.call("GET", "/api/auth/me", headers=browser.bearer(body))
    assert ended.json()["reason"] == "revoked"
    stop = await browser.post("/api/auth/stop-impersonation", headers=browser.bearer(body))
    assert stop.status_code == 401
    not_one = await world.call(
        "POST", "/api/auth/stop-impersonation", headers=await world.sign_in(await world.user("admin"))
    )
    assert (not_one.status_code, not_one.json()["code"]) == (409, "NOT_IMPERSONATING")
    assert admin.id


async def test_acting_for_a_client_is_recorded(world: World) -> None:
    """Reads once per session and client and quarter of an hour, every write; nobody's own calls."""
    admin, client = await world.user("admin"), await world.client()
    user = User(admin, "a@b.test", "A", "B", "admin", "admin", uuid4(), datetime.now(UTC))

    async def call(method: str, subject: object) -> None:
        scope = {"type": "http", "method": method, "headers": [], "client": ("127.0.0.1", 1), "path": "/"}
        who = Identity(user, subject)  # type: ignore[arg-type]
        await acting.record(Request(scope), who, BY_NAME["accounts_show_me"], world.services)

    for method in ("GET", "GET", "POST", "GET", "DELETE"):
        await call(method, client)
    await call("POST", admin)
    rows = await world.db.fetch(
        "select details from security_audit_log where user_id = $1 and event_type = 'acting_as_client' "
        "order by created_at",
        admin,
    )
    assert [row["details"]["method"] for row in rows] == ["GET", "POST", "DELETE"]
    assert {row["details"]["client_id"] for row in rows} == {str(client)}


async def test_the_clean_up_deletes_what_is_over_and_nothing_else(world: World) -> None:
    """Ended sessions after 30 days, audit after a year; living ones and young events stay."""
    who, _, headers = await _signed_in(world)
    gone = await person(world)
    await world.sign_in(gone.id)
    await world.db.execute(
        "update user_sessions set revoked_at = now() - interval '31 days' where user_id = $1", gone.id
    )
    await world.db.execute(
        """insert into security_audit_log (user_id, event_type, event_category, success, created_at)
           values ($1, 'login_success', 'authentication', true, now() - interval '366 days')""",
        gone.id,
    )
    await run_tasks(world)

    assert (await world.run_schedule("accounts_purge_expired")).status_code == 204

    assert await world.db.fetchval("select count(*) from user_sessions where user_id = $1", gone.id) == 0
    assert await events(world, gone) == []
    assert (await world.call("GET", "/api/auth/me", headers=headers)).status_code == 200
    assert "session_created" in await events(world, who)


async def test_the_clean_up_gets_through_a_backlog(world: World) -> None:
    """What is over goes in bounded statements until nothing is left, and the count is of all of them."""
    gone = await person(world)
    await world.db.execute(
        """insert into security_audit_log (user_id, event_type, event_category, success, created_at)
           select $1, 'login_success', 'authentication', true, now() - interval '366 days'
           from generate_series(1, 25)""",
        gone.id,
    )
    assert (await store.purge(world.db, datetime.now(UTC), at_once=10))["security_audit_log"] >= 25
    assert await events(world, gone) == []
