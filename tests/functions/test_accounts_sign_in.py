"""Signing in: password, one-time code, trusted devices, lockout, authenticator app."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import bcrypt
import pyotp
import pytest

from tests.functions.conftest import World, new_ip
from tests.functions.people import PASSWORD, Browser, Person, events, mailed_code, mails_to, person


async def test_a_new_device_needs_the_mailed_code_and_a_trusted_one_does_not(world: World) -> None:
    """The first sign-in asks for a code; the same browser, trusted, does not; another browser does."""
    who, browser = await person(world), Browser(world)

    asked = (await browser.login(who)).json()
    assert asked["requiresMfa"] is True
    assert (asked["mfaType"], asked["code"], asked["reason"]) == ("email_otp", "MFA_REQUIRED", "new_device")
    assert who.email not in asked["maskedEmail"]
    assert "refresh_token" not in browser.cookies
    code = await mailed_code(world, who)
    form = {"challengeId": asked["challengeId"], "code": f" {code[:3]} {code[3:]} ", "trustDevice": True}
    signed_in = await browser.post("/api/auth/verify-mfa", form)

    assert signed_in.status_code == 200, signed_in.text
    body = signed_in.json()
    assert body["user"]["effective_role"] == body["user"]["effectiveRole"] == "client"
    assert (body["expiresIn"], body["impersonator"]) == (900, None)
    assert "onboarding_completed_at" in body["user"]
    again = await browser.login(who)
    assert "accessToken" in again.json()
    assert "requiresMfa" in (await Browser(world).login(who)).json()
    assert {"mfa_challenge_sent", "mfa_challenge_success", "login_success", "device_trusted", "session_created"} <= set(
        await events(world, who)
    )


async def test_the_cookies_are_those_of_the_contract(world: World) -> None:
    """refresh_token, impersonator and session: HttpOnly, Path=/, Lax on a laptop, 30 days for the first two."""
    who, browser = await person(world), Browser(world)
    asked = (await browser.login(who)).json()
    code = await mailed_code(world, who)
    answer = await browser.post("/api/auth/mfa/verify", {"challengeId": asked["challengeId"], "code": code})

    told = {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}
    assert set(told) == {"refresh_token", "impersonator", "session", "device"}
    for line in told.values():
        assert "HttpOnly" in line and "Path=/" in line and "SameSite=lax" in line and "Secure" not in line
        assert "Domain" not in line
    assert "Max-Age=2592000" in told["refresh_token"]
    assert len(browser.cookies["refresh_token"]) == 43


async def test_a_device_that_is_not_to_be_trusted_needs_a_code_each_time(world: World) -> None:
    """Without "keep me signed in" the same browser is asked again, as a known device."""
    who, browser = await person(world), Browser(world)
    await browser.sign_in(who, trust=False)
    assert (await browser.login(who)).json()["reason"] == "password_login"


async def test_one_browser_can_be_trusted_by_two_people(world: World) -> None:
    """Trust is of a person and a device: the second person on a browser needs a code of their own, once."""
    first, second, browser = await person(world), await person(world), Browser(world)
    await browser.sign_in(first)
    assert "requiresMfa" in (await browser.login(second)).json()
    await browser.sign_in(second)
    assert "accessToken" in (await browser.login(first)).json()
    assert "accessToken" in (await browser.login(second)).json()


async def test_a_copied_device_cookie_in_another_browser_is_not_trusted(world: World) -> None:
    """The cookie in a browser that looks different is a new device; an update of the same browser is not."""
    who, browser = await person(world), Browser(world)
    await browser.sign_in(who)
    browser.user_agent = browser.user_agent.replace("140.0", "141.0")
    assert "accessToken" in (await browser.login(who)).json()
    browser.user_agent = "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0"
    assert (await browser.login(who)).json()["reason"] == "new_device"


async def test_a_known_device_id_without_its_secret_proves_nothing(world: World) -> None:
    """An id from the device list, sent in the body or as a cookie, does not spare the code."""
    who, browser = await person(world), Browser(world)
    await browser.sign_in(who)
    device_id = browser.cookies["device"].partition(".")[0]
    other = Browser(world)
    assert "requiresMfa" in (await other.login(who, deviceId=device_id)).json()
    other.cookies.set("device", f"{device_id}.{'A' * 43}")
    assert "requiresMfa" in (await other.login(who)).json()


@pytest.mark.parametrize("secret", ["!" * 43, "%41" * 15, "a" * 42 + "@", "a" * 500])
async def test_a_device_cookie_that_is_none_of_ours_is_replaced(world: World, secret: str) -> None:
    """Whatever a caller writes into the cookie, sign-in answers, and gives the browser one that holds."""
    who, browser = await person(world), Browser(world)
    browser.cookies.set("device", f"{uuid4()}.{secret}")
    answer = await browser.login(who)
    assert answer.status_code == 200, answer.text
    [told] = [line for line in answer.headers.get_list("set-cookie") if line.startswith("device=")]
    assert secret not in told


async def test_trust_ends_after_thirty_days_and_when_forgotten(world: World) -> None:
    """A trusted device is asked again once its trust is over, by time or by its owner."""
    who, browser = await person(world), Browser(world)
    headers = browser.bearer(await browser.sign_in(who))
    [device] = (await browser.get("/api/auth/devices", headers=headers)).json()["devices"]
    assert device["deviceName"] == "Firefox on Linux"
    forgotten = await browser.send("DELETE", f"/api/auth/devices/{device['deviceId']}", headers=headers)
    assert forgotten.status_code == 200
    assert "requiresMfa" in (await browser.login(who)).json()

    await browser.sign_in(who)
    await world.db.execute("update user_trusted_devices set expires_at = now() where user_id = $1", who.id)
    assert "requiresMfa" in (await browser.login(who)).json()


async def test_guessing_before_the_right_password_from_a_new_network_is_suspicious(world: World) -> None:
    """Three wrong passwords, then the right one from a network never seen: even a trusted device needs a code."""
    who, browser = await person(world), Browser(world)
    await browser.sign_in(who)
    stranger = Browser(world)
    for _ in range(3):
        await stranger.post("/api/auth/login", {"email": who.email, "password": "wrong"})
    browser.ip = "203.0.113.7"
    assert (await browser.login(who)).json()["reason"] == "new_ip"


async def test_five_failures_lock_an_address_whether_or_not_it_has_an_account(world: World) -> None:
    """The fifth failure answers 423, the next 429 with the seconds to wait: the same for an address without account."""
    who = await person(world)
    for email in (who.email, f"{uuid4().hex}@mailbox.test"):
        answers = [
            await Browser(world).post("/api/auth/login", {"email": email, "password": f"Wrong-{n}"}) for n in range(6)
        ]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 423, 429]
        assert [answer.json()["code"] for answer in answers[3:]] == [
            "INVALID_CREDENTIALS", "ACCOUNT_LOCKED", "RATE_LIMIT_EXCEEDED",
        ]  # fmt: skip
        assert answers[5].json()["retryAfter"] == pytest.approx(1800, abs=20)
        assert "verify" not in answers[4].text.lower()
    right = await Browser(world).login(who)
    assert right.status_code == 429
    assert "account_locked" in await events(world, who)
    assert await world.db.fetchval("select failed_login_count from users where id = $1", who.id) == 5


async def test_failures_at_the_same_instant_lock_the_account(world: World) -> None:
    """Of twenty guesses at once five are looked at, and the account is locked whichever of them is noted last."""
    who = await person(world)
    guesses = [
        Browser(world).post("/api/auth/login", {"email": who.email, "password": f"Wrong-{n}"}) for n in range(20)
    ]
    answers = await asyncio.gather(*guesses)
    assert sum(answer.status_code in (401, 423) for answer in answers) == 5
    row = await world.db.fetchrow("select failed_login_count as n, locked_until from users where id = $1", who.id)
    assert row is not None and row["n"] == 5
    assert row["locked_until"] is not None


async def test_a_lock_ends_and_the_count_starts_anew(world: World) -> None:
    """After the lock one mistake is one mistake, and the right password signs in."""
    who = await person(world)
    for n in range(5):
        await Browser(world).post("/api/auth/login", {"email": who.email, "password": f"Wrong-{n}"})
    await world.db.execute(
        "update auth_rate_limits set locked_until = now() - interval '1 s' where locked_until is not null"
    )
    await world.db.execute("update users set locked_until = now() - interval '1 s' where id = $1", who.id)
    wrong = await Browser(world).post("/api/auth/login", {"email": who.email, "password": "Wrong"})
    assert wrong.status_code == 401
    assert (await Browser(world).login(who)).status_code == 200


async def test_an_account_locked_by_hand_stays_locked(world: World) -> None:
    """``locked_until`` in the database is obeyed, with 423 and the seconds left."""
    who = await person(world, locked_until=datetime.now(UTC) + timedelta(minutes=10))
    answer = await Browser(world).login(who)
    assert (answer.status_code, answer.json()["code"]) == (423, "ACCOUNT_LOCKED")
    assert 590 <= answer.json()["retryAfter"] <= 600


async def test_an_address_that_fails_too_often_is_blocked_for_all_accounts(world: World) -> None:
    """Ten failures from one address, whatever the accounts, block it; X-Forwarded-For cannot be made up."""
    ip = new_ip()
    for n in range(10):
        headers = {"X-Forwarded-For": f"198.51.100.{n}, {ip}"}
        body = {"email": f"{uuid4().hex}@mailbox.test", "password": "Wrong"}
        answer = await world.http.post("/api/auth/login", json=body, headers=headers)
        assert answer.status_code == 401
    who = await person(world)
    blocked = await Browser(world, ip=ip).login(who)
    assert (blocked.status_code, blocked.json()["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert blocked.headers["retry-after"] == str(blocked.json()["retryAfter"])
    assert (await Browser(world).login(who)).status_code == 200


async def test_right_passwords_are_no_failures(world: World) -> None:
    """Twelve successful sign-ins from one address block nobody."""
    who, browser = await person(world), Browser(world)
    await browser.sign_in(who)
    assert {(await browser.login(who)).status_code for _ in range(12)} == {200}


async def test_accounts_that_may_not_sign_in_yet(world: World) -> None:
    """Unverified: 403 with the word the dashboard looks for. Waiting for activation: 403 without it."""
    unverified = await Browser(world).login(await person(world, verified=False))
    assert (unverified.status_code, unverified.json()["code"]) == (403, "EMAIL_NOT_VERIFIED")
    assert "verify" in unverified.json()["message"].lower()

    waiting = await person(world)
    await world.db.execute("update client_profiles set onboarding_completed_at = now() where user_id = $1", waiting.id)
    answer = await Browser(world).login(waiting)
    assert (answer.status_code, answer.json()["code"]) == (403, "ACCOUNT_PENDING_ACTIVATION")
    assert "verify" not in answer.text.lower()


async def test_a_bcrypt_hash_is_accepted_and_replaced(world: World) -> None:
    """A password of the old server signs in, and is kept as Argon2id with the parameters of the rules from then on."""
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    who = await person(world, password_hash=old)
    await Browser(world).sign_in(who)
    stored = await world.db.fetchval("select password_hash from users where id = $1", who.id)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    await Browser(world).sign_in(who)


async def test_addresses_are_the_same_whatever_their_case(world: World) -> None:
    """Spaces around and capitals in the address do not matter."""
    who = await person(world)
    answer = await Browser(world).post(
        "/api/auth/login", {"email": f"  {who.email.upper()} ", "password": who.password}
    )
    assert answer.status_code == 200


async def test_a_code_may_be_tried_five_times(world: World) -> None:
    """Wrong codes count down; then even the right one is refused, a new mail gives no further tries, and a new sign-in
    is refused for the account's own limit."""
    who, browser = await person(world), Browser(world)
    challenge = (await browser.login(who)).json()["challengeId"]
    code = await mailed_code(world, who)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    left = []
    for _ in range(5):
        answer = await browser.post("/api/auth/mfa/verify", {"challengeId": challenge, "code": wrong})
        assert (answer.status_code, answer.json()["code"]) == (400, "MFA_FAILED")
        assert answer.json()["error"] == "invalid_code"
        left.append(answer.json()["attemptsRemaining"])
    assert left == [4, 3, 2, 1, 0]
    right = await browser.post("/api/auth/mfa/verify", {"challengeId": challenge, "code": code})
    assert right.json()["error"] == "max_attempts_exceeded"
    resend = await browser.post("/api/auth/mfa/resend", {"challengeId": challenge})
    assert (resend.status_code, resend.json()["code"]) == (400, "RESEND_FAILED")

    anew = (await browser.login(who)).json()["challengeId"]
    code = await mailed_code(world, who)
    answer = await browser.post("/api/auth/mfa/verify", {"challengeId": anew, "code": code})
    assert (answer.status_code, answer.json()["code"]) == (429, "RATE_LIMIT_EXCEEDED")


async def test_a_code_works_once_and_not_after_its_time(world: World) -> None:
    """A used, an expired and an unknown challenge each say so; a newer challenge ends the older one."""
    who, browser = await person(world), Browser(world)
    older = (await browser.login(who)).json()["challengeId"]
    old_code = await mailed_code(world, who)
    newer = (await browser.login(who)).json()["challengeId"]
    code = await mailed_code(world, who)

    async def error(challenge: str, code: str) -> str:
        answer = await browser.post("/api/auth/mfa/verify", {"challengeId": challenge, "code": code})
        assert answer.status_code == 400, answer.text
        return str(answer.json()["error"])

    assert await error(older, old_code) == "expired"
    assert await error(str(uuid4()), code) == "challenge_not_found"
    used = await browser.post("/api/auth/mfa/verify", {"challengeId": newer, "code": code})
    assert used.status_code == 200
    assert await error(newer, code) == "already_verified"


async def test_a_new_code_replaces_the_old_one_and_keeps_its_end(world: World) -> None:
    """Sending again: same challenge and end, the old code no longer works; three times at most."""
    who, browser = await person(world), Browser(world)
    asked = (await browser.login(who)).json()
    first = await mailed_code(world, who)
    again = await browser.post("/api/auth/mfa/resend", {"challengeId": asked["challengeId"]})
    assert again.json()["expiresAt"] == asked["expiresAt"]
    second = await mailed_code(world, who)
    if first != second:
        old = await browser.post("/api/auth/mfa/verify", {"challengeId": asked["challengeId"], "code": first})
        assert old.json()["error"] == "invalid_code"
    for _ in range(2):
        assert (await browser.post("/api/auth/mfa/resend", {"challengeId": asked["challengeId"]})).status_code == 200
    refused = await browser.post("/api/auth/mfa/resend", {"challengeId": asked["challengeId"]})
    assert (refused.status_code, refused.json()["code"]) == (400, "RESEND_FAILED")
    unknown = await browser.post("/api/auth/mfa/resend", {"challengeId": str(uuid4())})
    assert unknown.json()["code"] == "CHALLENGE_NOT_FOUND"


async def test_codes_are_not_mailed_without_end(world: World) -> None:
    """Ten code mails an hour for one account; then sign-in answers 429 and mails nothing."""
    who = await person(world)
    answers = [(await Browser(world).login(who)).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]
    assert len(await mails_to(world, who)) == 10


async def _with_app(world: World) -> tuple[Person, Browser, str, list[str], dict[str, str]]:
    """Somebody with an authenticator app: the browser, the secret, the backup codes, the session."""
    who, browser = await person(world), Browser(world)
    headers = browser.bearer(await browser.sign_in(who))
    wrong = await browser.post("/api/auth/mfa/totp", {"password": "no"}, headers=headers)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "password")
    offer = (await browser.post("/api/auth/mfa/totp", {"password": PASSWORD}, headers=headers)).json()
    assert offer["otpauthUrl"].startswith("otpauth://totp/Anchor:")
    code = pyotp.TOTP(offer["secret"]).now()
    confirmed = await browser.post("/api/auth/mfa/totp/confirm", {"code": code}, headers=headers)
    assert confirmed.status_code == 200, confirmed.text
    assert (await browser.get("/api/auth/me", headers=headers)).status_code == 401
    return who, browser, offer["secret"], confirmed.json()["backupCodes"], browser.bearer(confirmed.json())


async def test_an_authenticator_app_as_second_factor(world: World) -> None:
    """Set up with a code, it replaces mailed codes; its codes work once; a change ends all sessions but the new one."""
    who, _, secret, _, headers = await _with_app(world)
    settings = (await world.call("GET", "/api/auth/mfa/settings", headers=headers)).json()
    assert (settings["totpEnabled"], settings["preferredMethod"], settings["hasAnyMfaEnabled"]) == (True, "totp", True)
    assert settings["backupCodesLeft"] == 10

    before = len(await mails_to(world, who))
    other = Browser(world)
    asked = (await other.login(who)).json()
    assert asked["mfaType"] == "totp"
    assert len(await mails_to(world, who)) == before
    used = pyotp.TOTP(secret).now()
    replay = await other.post("/api/auth/mfa/verify", {"challengeId": asked["challengeId"], "code": used})
    next_one = pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30))
    if replay.status_code != 200:  # unless the clock passed into the next step meanwhile
        assert replay.json()["error"] == "invalid_code"
        fresh = await other.post("/api/auth/mfa/verify", {"challengeId": asked["challengeId"], "code": next_one})
        assert fresh.status_code == 200, fresh.text


async def test_backup_codes_work_once_each(world: World) -> None:
    """A backup code stands in for the app, with or without its dash, once; new ones replace all."""
    who, _, _, codes, headers = await _with_app(world)
    assert len(set(codes)) == 10
    asked = (await Browser(world).login(who)).json()["challengeId"]
    answer = await Browser(world).post("/api/auth/mfa/verify", {"challengeId": asked, "code": codes[0].upper()})
    assert answer.status_code == 200, answer.text
    asked = (await Browser(world).login(who)).json()["challengeId"]
    again = await Browser(world).post("/api/auth/mfa/verify", {"challengeId": asked, "code": codes[0]})
    assert again.json()["error"] == "invalid_code"

    renewed = await world.call("POST", "/api/auth/mfa/backup-codes", json={"password": PASSWORD}, headers=headers)
    assert len(renewed.json()["backupCodes"]) == 10
    asked = (await Browser(world).login(who)).json()["challengeId"]
    old = await Browser(world).post("/api/auth/mfa/verify", {"challengeId": asked, "code": codes[1].replace("-", "")})
    assert old.json()["error"] == "invalid_code"


async def test_a_changed_factor_asks_every_other_device_again(world: World) -> None:
    """A device trusted for a mailed code does not pass by the app; the one that set it up does."""
    who, other, browser = await person(world), Browser(world), Browser(world)
    await other.sign_in(who)
    headers = browser.bearer(await browser.sign_in(who))
    secret = (await browser.post("/api/auth/mfa/totp", {"password": PASSWORD}, headers=headers)).json()["secret"]
    confirmed = await browser.post("/api/auth/mfa/totp/confirm", {"code": pyotp.TOTP(secret).now()}, headers=headers)
    assert confirmed.status_code == 200, confirmed.text
    assert (await other.login(who)).json()["mfaType"] == "totp"
    assert "accessToken" in (await browser.login(who)).json()


async def test_failing_to_prove_oneself_is_in_the_trail(world: World) -> None:
    """A wrong password in an open session, as a thief of it would try, is recorded, and may be given five times."""
    who, browser = await person(world), Browser(world)
    headers = browser.bearer(await browser.sign_in(who))
    answers = [await browser.post("/api/auth/mfa/totp", {"password": "Wrong"}, headers=headers) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429] * 2
    assert (await events(world, who)).count("owner_not_proven") == 5


async def test_the_app_can_be_removed_and_always_asking_be_chosen(world: World) -> None:
    """Removing the app brings mailed codes back; "always" asks even a trusted device."""
    who, browser, _, _, headers = await _with_app(world)
    removed = await browser.post("/api/auth/mfa/totp/remove", {"password": PASSWORD}, headers=headers)
    headers = browser.bearer(removed.json())
    await browser.sign_in(who)
    form = {"password": PASSWORD, "requireMfaAlways": True}
    changed = await browser.send("PATCH", "/api/auth/mfa/settings", json=form, headers=headers)
    assert changed.status_code == 200, changed.text
    assert (await browser.login(who)).json()["reason"] == "always_required"


async def test_a_foreign_page_cannot_sign_a_visitor_in(world: World) -> None:
    """A login sent by a page of another site is refused before anything is looked at."""
    who = await person(world)
    body = {"email": who.email, "password": who.password}
    answer = await Browser(world).post("/api/auth/login", body, headers={"Origin": "https://evil.test"})
    assert answer.status_code == 403
