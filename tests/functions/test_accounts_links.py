"""Mailed links: a new password, a confirmed address, registering. And what must never be written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.functions.conftest import World, new_ip
from tests.functions.people import (
    Browser,
    Person,
    events,
    mailed_code,
    mailed_token,
    mails_to,
    person,
    run_tasks,
)

NEW = "Another-Fine-9182!"


async def _reset_token(world: World, who: Person) -> str:
    answer = await Browser(world).post("/api/auth/password-reset/request", {"email": who.email})
    assert answer.status_code == 200
    return await mailed_token(world, who)


async def test_a_reset_link_sets_a_password_and_signs_nobody_in(world: World) -> None:
    """The link sets the password once, ends sessions and trust, voids its siblings, and opens no session."""
    who, browser = await person(world, verified=False), Browser(world)
    first = await _reset_token(world, who)
    second = await _reset_token(world, who)
    assert (await browser.post("/api/auth/reset-password", {"token": first, "password": NEW})).status_code == 400
    done = await browser.post("/api/auth/password-reset", {"token": second, "password": NEW})
    assert (done.status_code, done.json()["user"]["email"]) == (200, who.email)
    assert "accessToken" not in done.json() and "refresh_token" not in browser.cookies
    again = await browser.post("/api/auth/reset-password", {"token": second, "password": NEW})
    assert (again.status_code, again.json()["code"]) == (400, "INVALID_TOKEN")
    assert (await browser.login(who)).status_code == 401
    who.password = NEW
    assert "requiresMfa" in (await browser.login(who)).json()
    assert "password_reset_completed" in await events(world, who)


async def test_a_reset_lifts_a_lock(world: World) -> None:
    """Whoever was locked out by somebody's guessing comes back by mail."""
    who = await person(world)
    for n in range(5):
        await Browser(world).post("/api/auth/login", {"email": who.email, "password": f"Wrong-{n}"})
    token = await _reset_token(world, who)
    await Browser(world).post("/api/auth/reset-password", {"token": token, "password": NEW})
    who.password = NEW
    assert (await Browser(world).login(who)).status_code == 200


async def test_a_reset_link_of_an_address_given_up_sets_nothing(world: World) -> None:
    """Whoever still reads the old mailbox cannot set the password of the account that left it."""
    who, browser = await person(world), Browser(world)
    token = await _reset_token(world, who)
    admin = await world.sign_in(await world.user("admin"))
    moved = {"user_email": f"{uuid4().hex}@mailbox.test"}
    assert (await world.call("PUT", f"/api/hub/clients/{who.id}", json=moved, headers=admin)).status_code == 200
    answer = await browser.post("/api/auth/reset-password", {"token": token, "password": NEW})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_TOKEN")


async def test_a_weak_password_leaves_the_link_usable(world: World) -> None:
    """WEAK_PASSWORD names what is wrong; the link still works for a better one."""
    who = await person(world)
    token = await _reset_token(world, who)
    weak = await Browser(world).post("/api/auth/reset-password", {"token": token, "password": "robin"})
    assert (weak.status_code, weak.json()["code"]) == (400, "WEAK_PASSWORD")
    assert "Do not use your name." in weak.json()["errors"]
    assert (await Browser(world).post("/api/auth/reset-password", {"token": token, "password": NEW})).status_code == 200


async def test_links_expire(world: World) -> None:
    """A link does not work an hour later."""
    who = await person(world, verified=False)
    token = await _reset_token(world, who)
    await world.db.execute(
        "update password_reset_tokens set expires_at = expires_at - interval '60 min' where user_id = $1", who.id
    )
    late = await Browser(world).post("/api/auth/reset-password", {"token": token, "password": NEW})
    assert late.json()["code"] == "INVALID_TOKEN"

    await Browser(world).post("/api/auth/resend-verification", {"email": who.email})
    token = await mailed_token(world, who)
    await world.db.execute(
        "update email_verification_tokens set expires_at = expires_at - interval '60 min' where user_id = $1", who.id
    )
    late = await Browser(world).get(f"/api/auth/verify-email?token={token}")
    assert late.headers["location"] == "/pages/login?verified=0"


async def test_nobody_learns_who_has_an_account(world: World) -> None:
    """Asking for a link is the same answer and the same work for every address; only the task looks."""
    who = await person(world)
    for path in ("/api/auth/forgot-password", "/api/auth/resend-verification"):
        world.sent.tasks.clear()
        answers = [
            await Browser(world).post(path, {"email": email}) for email in (who.email, f"{uuid4().hex}@nowhere.test")
        ]
        assert answers[0].status_code == 200
        assert answers[0].json() == answers[1].json()
        assert [task["function"] for task in world.sent.tasks] == ["accounts_mail_link"] * 2
        await run_tasks(world)
    assert len(await mails_to(world, who)) == 1  # no link to confirm what is confirmed


async def test_links_are_not_mailed_without_end(world: World) -> None:
    """Three an hour for one address, five an hour from one place, accounts or not."""
    email = f"{uuid4().hex}@nowhere.test"
    answers = [await Browser(world).post("/api/auth/forgot-password", {"email": email}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    ip = new_ip()
    answers = [
        await Browser(world, ip=ip).post("/api/auth/forgot-password", {"email": f"{uuid4().hex}@nowhere.test"})
        for _ in range(6)
    ]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert int(answers[5].headers["retry-after"]) > 3000


async def test_guessing_reset_tokens_is_limited(world: World) -> None:
    """Thirty wrong tokens from one place, and it is blocked."""
    browser = Browser(world)
    answers = [
        await browser.post("/api/auth/reset-password", {"token": uuid4().hex, "password": NEW}) for _ in range(31)
    ]
    assert [answer.status_code for answer in answers] == [400] * 30 + [429]


async def test_a_verification_link_works_once(world: World) -> None:
    """Confirms the address and goes to the login page; a scanner's HEAD uses nothing up; a second click fails."""
    who, browser = await person(world, verified=False), Browser(world)
    await browser.post("/api/auth/resend-verification", {"email": who.email})
    token = await mailed_token(world, who)
    await browser.send("HEAD", f"/api/auth/verify-email?token={token}")
    first = await browser.get(f"/api/auth/verify-email?token={token}")
    assert (first.status_code, first.headers["location"]) == (302, "/pages/login?verified=1")
    second = await browser.get(f"/api/auth/verify-email?token={token}")
    assert second.headers["location"] == "/pages/login?verified=0"
    assert (await browser.login(who)).status_code == 200
    assert "email_verified" in await events(world, who)


async def test_a_verification_link_is_for_the_address_it_was_sent_to(world: World) -> None:
    """After a change of address the old link confirms nothing."""
    who = await person(world, verified=False)
    await Browser(world).post("/api/auth/resend-verification", {"email": who.email})
    token = await mailed_token(world, who)
    await world.db.execute("update users set email = $2 where id = $1", who.id, f"{uuid4().hex}@new.test")
    answer = await Browser(world).get(f"/api/auth/verify-email?token={token}")
    assert answer.headers["location"] == "/pages/login?verified=0"
    for nonsense in ("", "?token=", "?token=x&token=y", "?token=%00"):
        assert (await Browser(world).get(f"/api/auth/verify-email{nonsense}")).status_code in (302, 400)


# --- registering ------------------------------------------------------------------------------------------------------

FORM = {"firstName": "Kim", "lastName": "Sample", "password": "Quiet-Harbour-72!"}


async def test_registering_is_closed_unless_switched_on(world: World) -> None:
    """By default our team makes accounts."""
    answer = await Browser(world).post("/api/auth/register", {**FORM, "email": f"{uuid4().hex}@mailbox.test"})
    assert (answer.status_code, answer.json()["code"]) == (403, "REGISTRATION_DISABLED")


@pytest.fixture
def open_world(world: World) -> Iterator[World]:
    """The world where anybody may register."""
    settings = world.services.settings
    world.services.settings = replace(settings, registration_enabled=True)
    yield world
    world.services.settings = settings


async def test_registering_mails_a_link_that_lets_one_in(open_world: World) -> None:
    """201; sign-in is refused until the mailed link was followed; then it needs a code."""
    world = open_world
    email = f"{uuid4().hex}@mailbox.test"
    answer = await Browser(world).post("/api/auth/register", {**FORM, "email": email})
    assert (answer.status_code, answer.json()["email"]) == (201, email)
    who = Person((await world.db.fetchval("select id from users where email = $1", email)), email, FORM["password"])
    assert (await Browser(world).login(who)).json()["code"] == "EMAIL_NOT_VERIFIED"
    token = await mailed_token(world, who)
    assert (await Browser(world).get(f"/api/auth/verify-email?token={token}")).headers["location"].endswith("=1")
    await Browser(world).sign_in(who)


async def test_registering_a_known_address_tells_its_owner_only(open_world: World) -> None:
    """The answer is that of a new address; the account stays as it is; its owner gets a mail."""
    world = open_world
    who = await person(world)
    answer = await Browser(world).post("/api/auth/register", {**FORM, "email": who.email})
    assert answer.status_code == 201
    [mail] = await mails_to(world, who)
    assert "already" in mail.subject and "token=" not in mail.text
    assert (await Browser(world).login(who)).status_code == 200


async def test_registering_mails_an_address_three_times_an_hour(open_world: World) -> None:
    """Whoever registers a stranger's address from many places fills no mailbox; weak passwords do not count."""
    who = await person(open_world)
    form = {"firstName": "A", "lastName": "B", "email": who.email}
    for _ in range(4):
        weak = await Browser(open_world).post("/api/auth/register", {**form, "password": "weak"})
        assert weak.json()["code"] == "WEAK_PASSWORD"
    answers = [await Browser(open_world).post("/api/auth/register", {**form, "password": NEW}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429, 429]
    assert len(await mails_to(open_world, who)) == 3


async def test_weak_passwords_cannot_be_registered(open_world: World) -> None:
    """400 WEAK_PASSWORD with a sentence for each weakness."""
    form = {**FORM, "email": "quokka@mailbox.test", "password": "Quokka1234"}
    answer = await Browser(open_world).post("/api/auth/register", form)
    assert answer.json()["code"] == "WEAK_PASSWORD"
    assert len(answer.json()["errors"]) >= 4


# --- what must not be written down ------------------------------------------------------------------------------------


async def test_codes_and_links_appear_in_no_log_and_no_table(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The code, the reset link, the verification link, tokens and the password: only in the mail and the answer."""
    who, browser = await person(world, verified=False), Browser(world)
    await browser.post("/api/auth/resend-verification", {"email": who.email})
    secrets = [await mailed_token(world, who)]
    await browser.get(f"/api/auth/verify-email?token={secrets[0]}")
    secrets.append(await _reset_token(world, who))
    await browser.post("/api/auth/reset-password", {"token": secrets[1], "password": NEW})
    who.password = NEW
    asked = (await browser.login(who)).json()
    code = await mailed_code(world, who)
    wrong = await browser.post("/api/auth/mfa/verify", {"challengeId": asked["challengeId"], "code": "000000"})
    answer = await browser.post("/api/auth/mfa/verify", {"challengeId": asked["challengeId"], "code": code})
    first_refresh = browser.cookies["refresh_token"]
    await browser.post("/api/auth/refresh")
    secrets += [answer.json()["accessToken"], first_refresh, browser.cookies["refresh_token"], NEW]
    secrets += [browser.cookies["device"].partition(".")[2], browser.cookies["session"]]

    written = capsys.readouterr()
    logged = written.out + written.err + wrong.text
    assert "accounts_verify_mfa" in logged
    stored = await _everything(world)
    assert who.email in stored
    for secret in secrets:
        assert secret not in logged
        assert secret not in stored
    rows = await world.db.fetch("select * from email_logs where recipient_email = $1", who.email)
    kept = " ".join(str(dict(row)) for row in rows) + str(
        await world.db.fetch("select payload from outbox")
        + await world.db.fetch("select details from security_audit_log")
    )
    assert code not in "".join(str(row["text_body"]) + str(row["subject"]) for row in rows)
    assert f"'{code}'" not in kept and f" {code} " not in kept
    assert code not in [word.strip('",') for line in logged.splitlines() for word in line.split()]


async def _everything(world: World) -> str:
    """Every row of every table that accounts and mail write."""
    parts: list[Any] = []
    for table in (
        *("users", "user_sessions", "retired_refresh_tokens", "user_trusted_devices", "mfa_challenges"),
        *("password_reset_tokens", "email_verification_tokens", "email_logs", "outbox", "security_audit_log"),
        "auth_rate_limits",
    ):
        parts += [str(dict(row)) for row in await world.db.fetch(f"select * from {table}")]
    return "\n".join(parts)


# --- bad input --------------------------------------------------------------------------------------------------------

BAD: list[tuple[str, str, Any, str]] = [
    # method, path, body, the field that the answer must name
    ("POST", "/api/auth/login", {}, "email"),
    ("POST", "/api/auth/login", {"email": "no address", "password": "x"}, "email"),
    ("POST", "/api/auth/login", {"email": "a@b.test", "password": 5}, "password"),
    ("POST", "/api/auth/login", {"email": "a\x00@b.test", "password": "x"}, "email"),
    ("POST", "/api/auth/login", {"email": "a@b.test", "password": "x\x00"}, "password"),
    ("POST", "/api/auth/login", {"email": "a@b.test", "password": "x" * 1025}, "password"),
    ("POST", "/api/auth/login", {"email": "a@b.test", "password": "x", "deviceId": "42"}, "deviceId"),
    ("POST", "/api/auth/login", {"email": "a@b.test", "password": "x", "trustDevice": "maybe"}, "trustDevice"),
    ("POST", "/api/auth/login", [], "body"),
    ("POST", "/api/auth/mfa/verify", {"challengeId": "42", "code": "123456"}, "challengeId"),
    ("POST", "/api/auth/verify-mfa", {"challengeId": str(uuid4()), "code": "12"}, "code"),
    ("POST", "/api/auth/verify-mfa", {"challengeId": str(uuid4()), "code": " - - - - "}, "code"),
    ("POST", "/api/auth/mfa/resend", {}, "challengeId"),
    ("POST", "/api/auth/register", {**FORM, "email": "x", "firstName": " "}, "firstName"),
    ("POST", "/api/auth/register", {**FORM, "email": "x@y.test", "lastName": "<b>"}, "lastName"),
    ("POST", "/api/auth/register", {**FORM, "email": "x@y.test", "lastName": "x" * 61}, "lastName"),
    ("POST", "/api/auth/forgot-password", {"email": "x@"}, "email"),
    ("POST", "/api/auth/resend-verification", {"email": None}, "email"),
    ("POST", "/api/auth/reset-password", {"token": "short", "password": "x"}, "token"),
    ("POST", "/api/auth/reset-password", {"token": "x" * 64}, "password"),
    ("POST", "/api/auth/logout-all", {"keepCurrent": "perhaps"}, "keepCurrent"),
    ("POST", "/api/auth/mfa/totp/confirm", {"code": "1"}, "code"),
    ("PATCH", "/api/auth/mfa/settings", {"preferredMethod": "pigeon"}, "preferredMethod"),
    ("POST", "/api/auth/impersonate", {"user_id": "me"}, "user_id"),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "field"), BAD, ids=[f"{b[1]}-{b[3]}-{n}" for n, b in enumerate(BAD)]
)
async def test_bad_input_names_its_field(world: World, method: str, path: str, body: Any, field: str) -> None:
    """Every wrong field is a 400 that names it, in the message and in ``errors``."""
    headers = await world.sign_in(await world.user("superadmin"))
    answer = await world.call(method, path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR"), answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert field in answer.json()["message"]


async def test_broken_bodies_are_client_errors(world: World) -> None:
    """No JSON is a 400, too much of it a 413."""
    broken = await world.call("POST", "/api/auth/login", content=b'{"email":')
    assert (broken.status_code, broken.json()["code"]) == (400, "VALIDATION_ERROR")
    huge = await world.call("POST", "/api/auth/login", content=b"x" * 200_000)
    assert huge.status_code == 413


async def test_ids_that_are_none_are_not_there(world: World) -> None:
    """A path id that is no UUID is a 404 in JSON, at once."""
    headers = await world.sign_in(await world.user("superadmin"))
    for method, path in (
        ("DELETE", "/api/auth/sessions/none"),
        ("DELETE", "/api/auth/devices/none"),
        ("POST", "/api/auth/impersonate/none"),
        ("GET", "/api/auth/oauth/none"),
        ("GET", "/api/auth/oauth/none/callback"),
    ):
        answer = await world.call(method, path, headers=headers, **({"json": {}} if method == "POST" else {}))
        assert answer.status_code == 404, path


async def test_the_password_rules_are_told(world: World) -> None:
    """What the form shows is what is checked."""
    rules = (await world.call("GET", "/api/auth/password-requirements")).json()
    assert rules["minLength"] == 12
    assert all(rules[f"require{kind}"] is True for kind in ("Uppercase", "Lowercase", "Number", "Special"))
