"""One's own profile, avatar, analytics and brand; notices; the mail log."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from shared.areas.accounts import passwords
from tests.functions.conftest import World
from tests.functions.portal import PASSWORD, PDF, SVG, admin, exists, mails, png, run_tasks

OTHER = "Another-Horse-7-Stable"


async def _client(world: World, email: str | None = None) -> tuple[UUID, dict[str, str]]:
    client_id = await world.user("client", email=email or f"{uuid4().hex}@example.test")
    hashed = await passwords.make_hash(PASSWORD)
    await world.db.execute("update users set password_hash = $2 where id = $1", client_id, hashed)
    return client_id, await world.sign_in(client_id)


async def test_a_profile_is_updated_in_part(world: World) -> None:
    """Names and goal change without touching the flags; empty and null change nothing; nothing at all is a 400."""
    _, headers = await _client(world)
    body = {"first_name": "Bo", "last_name": "", "email": "", "monthly_revenue_goal": 5000}

    saved = await world.call("PUT", "/api/hub/profile", json=body, headers=headers)
    kept = await world.call(
        "PUT", "/api/hub/profileMe", json={"last_name": "Berg", "monthly_revenue_goal": None}, headers=headers
    )
    nulls = {"first_name": None, "email": None, "password": None, "new_password": None, "ga4_access_provided": None}
    nothing = await world.call("PUT", "/api/hub/profile", json=nulls, headers=headers)

    assert saved.status_code == 200, saved.text
    user = kept.json()["user"]
    assert (user["first_name"], user["last_name"]) == ("Bo", "Berg") and user["monthly_revenue_goal"] == "5000.00"
    assert user["ga4_access_provided"] is False and user["role"] == "client"
    assert (nothing.status_code, nothing.json()["code"]) == (400, "NOTHING_TO_CHANGE")
    team = await world.sign_in(await world.user("team"))
    refused = await world.call("PUT", "/api/hub/profile", json={"monthly_revenue_goal": 1}, headers=team)
    plain = (await world.call("GET", "/api/hub/profileMe", headers=team)).json()["user"]
    assert refused.status_code == 403 and "monthly_revenue_goal" not in plain


async def test_a_password_needs_the_current_one_and_ends_other_sessions(world: World) -> None:
    """Wrong or missing current password and a weak new one are 400; after the change only this session goes on."""
    client_id, here = await _client(world)
    elsewhere = await world.sign_in(client_id)

    async def change(headers: dict[str, str], **body: str) -> Any:
        return await world.call("PUT", "/api/hub/profile", json=body, headers=headers)

    missing = await change(here, new_password=OTHER)
    wrong = await change(here, new_password=OTHER, password="nope")
    weak = await change(here, new_password="a", password=PASSWORD)
    acting = await change({**(await admin(world)), "X-Acting-User": str(client_id)}, new_password=OTHER)
    done = await change(here, new_password=OTHER, password=PASSWORD)

    assert [missing.status_code, wrong.status_code, weak.status_code] == [400] * 3
    assert "password" in wrong.json()["message"] and weak.json()["code"] == "WEAK_PASSWORD"
    assert acting.status_code == 403
    assert done.status_code == 200, done.text
    assert (await world.call("GET", "/api/hub/profile", headers=here)).status_code == 200
    assert (await world.call("GET", "/api/hub/profile", headers=elsewhere)).status_code == 401
    stored = await world.db.fetchval("select password_hash from users where id = $1", client_id)
    assert (await passwords.check(OTHER, stored)).right


async def test_a_profile_is_no_place_to_guess_passwords(world: World) -> None:
    """After five wrong current passwords the profile asks to wait, also when the right one comes."""
    _, headers = await _client(world)

    async def guess(password: str) -> int:
        body = {"new_password": OTHER, "password": password}
        return (await world.call("PUT", "/api/hub/profile", json=body, headers=headers)).status_code

    assert [await guess(f"wrong {n}") for n in range(5)] == [400] * 5
    assert await guess(PASSWORD) == 429


async def test_an_address_changes_with_the_password_and_must_be_proven(world: World) -> None:
    """Another address needs the current password, is stored in lower case, unproven, and gets a link to prove it."""
    client_id, headers = await _client(world)
    taken = f"{uuid4().hex}@example.test"
    await world.user("client", email=taken)
    new = f"{uuid4().hex}@Example.test"

    without = await world.call("PUT", "/api/hub/profile", json={"email": new}, headers=headers)
    conflict = await world.call("PUT", "/api/hub/profile", json={"email": taken, "password": PASSWORD}, headers=headers)
    done = await world.call("PUT", "/api/hub/profile", json={"email": new, "password": PASSWORD}, headers=headers)

    assert (without.status_code, conflict.status_code) == (400, 409)
    assert done.json()["user"]["email"] == new.lower()
    row = await world.db.fetchrow("select email_verified_at from users where id = $1", client_id)
    assert row["email_verified_at"] is None
    assert [mail["email_type"] for mail in await mails(world, new.lower())] == ["email_verification"]


async def test_an_avatar_becomes_a_small_picture_of_our_own(world: World) -> None:
    """A large photograph is made small, without what else its file held; the one before is deleted."""
    client_id, headers = await _client(world)
    big = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "my home address"
    Image.new("RGB", (1600, 900), "red").save(big, "JPEG", exif=exif)

    first = await world.call(
        "POST", "/api/hub/profile/avatar", files={"avatar": ("me.jpg", big.getvalue(), "image/jpeg")}, headers=headers
    )
    before = await world.db.fetchval("select file_id from user_avatars where user_id = $1", client_id)
    shown = await world.call("GET", first.json()["avatar_url"])
    second = await world.call(
        "POST", "/api/hub/avatarMe", files={"avatar": ("me.png", png(), "image/png")}, headers=headers
    )

    assert shown.status_code == 200 and shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["cache-control"] == "public, max-age=86400"
    assert Image.open(io.BytesIO(shown.content)).size == (512, 288) and b"home address" not in shown.content
    assert second.json()["avatar_url"].startswith(f"/api/hub/users/{client_id}/avatar?v=")
    await run_tasks(world, "files_delete")
    assert not await exists(world, f"avatars/{before}")
    profile = (await world.call("GET", "/api/hub/profile", headers=headers)).json()["user"]
    assert profile["avatar_url"] == second.json()["avatar_url"]


async def test_avatars_sent_at_once_leave_one_file(world: World) -> None:
    """Of several first avatars at the same moment one is kept, and the files of the others are deleted."""
    client_id, headers = await _client(world)
    files = {"avatar": ("me.png", png(), "image/png")}

    answers = await asyncio.gather(
        *(world.call("POST", "/api/hub/profile/avatar", files=files, headers=headers) for _ in range(4))
    )

    assert [answer.status_code for answer in answers] == [200] * 4
    kept = await world.db.fetch("select id from stored_files where owner_id = $1", client_id)
    shown = await world.db.fetchval("select file_id from user_avatars where user_id = $1", client_id)
    assert [row["id"] for row in kept] == [shown]


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.html", b"<html>", "text/html"),
        ("a.svg", SVG, "image/svg+xml"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"0" * 50, "image/png"),
        ("a.png", b"<html>", "image/png"),
        ("a.pdf", PDF, "application/pdf"),
    ],
)
async def test_an_avatar_is_a_picture(world: World, name: str, data: bytes, kind: str) -> None:
    """Anything that is no picture we can read is a 400 naming the field."""
    _, headers = await _client(world)

    answer = await world.call("POST", "/api/hub/profile/avatar", files={"avatar": (name, data, kind)}, headers=headers)
    none = await world.call("POST", "/api/hub/profile/avatar", data={"a": "b"}, files={}, headers=headers)

    assert answer.status_code == 400 and "avatar" in answer.json()["message"]
    assert none.status_code == 400


async def test_an_old_avatar_is_served_as_what_it_is(world: World) -> None:
    """The old server kept avatars as they came: a picture is sent with its true type, anything else is a 404."""
    picture, page = await world.client(), await world.client()
    for user_id, data in ((picture, png()), (page, b"<html><script>")):
        await world.db.execute(
            "insert into user_avatars (user_id, content_type, bytes) values ($1, 'text/html', $2)", user_id, data
        )

    shown = await world.call("GET", f"/api/hub/users/{picture}/avatar?v=1")
    hidden = await world.call("GET", f"/api/hub/users/{page}/avatar")

    assert shown.headers["content-type"] == "image/png" and shown.content == png()
    assert hidden.status_code == 404


async def test_analytics_are_the_clients_own(world: World) -> None:
    """A client sees their Looker address; an admin acting for them too; others see their own."""
    client_id, client = await _client(world)
    _, other = await _client(world)
    headers = await admin(world)
    await world.call(
        "PUT",
        f"/api/hub/clients/{client_id}",
        json={"looker_url": "https://lookerstudio.google.com/x"},
        headers=headers,
    )

    urls = [
        (await world.call("GET", "/api/hub/analytics", headers=one)).json()["looker_url"]
        for one in (client, {**headers, "X-Acting-User": str(client_id)}, other)
    ]

    assert urls == ["https://lookerstudio.google.com/x"] * 2 + [None]


async def test_a_brand_is_saved_with_its_files(world: World) -> None:
    """Texts, logos and style guides are saved together; deletions take files of either kind; empty clears a text."""
    _, headers = await _client(world)
    empty = (await world.call("GET", "/api/hub/brandMe", headers=headers)).json()["brand"]
    assert empty["logos"] == [] and empty["business_name"] == ""

    saved = await world.call(
        "PUT",
        "/api/hub/brand",
        files=[("logos", ("l.png", png(), "image/png")), ("style_guide", ("g.pdf", PDF, "application/pdf"))],
        data={"business_name": "Dijk", "brand_notes": "Blue", "deletions": "[]"},
        headers=headers,
    )

    assert saved.status_code == 200, saved.text
    brand = saved.json()["brand"]
    assert [asset["name"] for asset in brand["logos"]] == ["l.png"]
    assert [asset["name"] for asset in brand["style_guides"]] == ["g.pdf"]
    wizard = (await world.call("GET", "/api/onboarding/me", headers=headers)).json()["brand"]
    assert [asset["kind"] for asset in wizard["logos"]] == ["logo", "style_guide"]
    guide = brand["style_guides"][0]
    after = await world.call(
        "PUT",
        "/api/hub/brandMe",
        data={"deletions": json.dumps([guide["id"], "unknown"]), "brand_notes": ""},
        files={"ignored": ("", b"", "")},
        headers=headers,
    )
    assert after.json()["brand"]["style_guides"] == [] and after.json()["brand"]["brand_notes"] is None
    assert after.json()["brand"]["business_name"] == "Dijk"
    await run_tasks(world, "files_delete")
    assert not await exists(world, f"brand/{guide['id']}")
    bad = await world.call(
        "PUT", "/api/hub/brand", data={"deletions": "{"}, files={"x": ("", b"", "")}, headers=headers
    )
    assert bad.status_code == 400 and "deletions" in bad.json()["message"]


async def test_an_admin_edits_a_clients_brand(world: World) -> None:
    """The admin's form sends the whole brand back: its texts are kept, its files stay; an unknown client is a 404."""
    client_id, client = await _client(world)
    headers = await admin(world)
    await world.call("PUT", "/api/hub/brand", files={"logos": ("l.png", png(), "image/png")}, headers=client)
    loaded = (await world.call("GET", f"/api/hub/brand/admin/{client_id}", headers=headers)).json()["brand"]

    saved = await world.call(
        "PUT",
        f"/api/hub/brand/admin/{client_id}",
        json={**loaded, "business_name": "New name", "website_url": "https://x.example"},
        headers=headers,
    )
    form = await world.call(
        "PUT",
        f"/api/hub/brand/admin/{client_id}",
        data={"brand_notes": "by form"},
        files={"x": ("", b"", "")},
        headers=headers,
    )
    scripts = [
        await world.call("PUT", f"/api/hub/brand/admin/{client_id}", json={"website_url": address}, headers=headers)
        for address in (
            " JavaScript:alert(1)",
            "\x01javascript:alert(1)",
            "java\tscript:alert(1)",
            "data\n:text/html,x",
        )
    ]

    assert saved.status_code == 200 and saved.json()["brand"]["business_name"] == "New name"
    assert len(saved.json()["brand"]["logos"]) == 1
    assert form.json()["brand"]["brand_notes"] == "by form" and form.json()["brand"]["business_name"] == "New name"
    assert [script.status_code for script in scripts] == [400] * 4
    for method in ("GET", "PUT"):
        body: dict[str, Any] = {"json": {}} if method == "PUT" else {}
        answer = await world.call(method, f"/api/hub/brand/admin/{uuid4()}", headers=headers, **body)
        assert answer.status_code == 404


async def test_style_guides_of_the_old_wizard_are_told_apart(world: World) -> None:
    """The old wizard kept style guides among the logos: the hub shows them apart, the wizard together."""
    client_id, headers = await _client(world)
    old = [
        {"id": "1", "name": "a.png", "url": "/uploads/brand/1-a.png"},
        {"id": "2", "kind": "style_guide", "name": "b.pdf", "url": "/uploads/brand/2-b.pdf", "mime": "application/pdf"},
    ]
    await world.db.execute("insert into brand_assets (user_id, logos) values ($1, $2)", client_id, old)

    brand = (await world.call("GET", "/api/hub/brand", headers=headers)).json()["brand"]

    assert [asset["id"] for asset in brand["logos"]] == ["1"] and brand["logos"][0]["mime"] == "image/png"
    assert [asset["id"] for asset in brand["style_guides"]] == ["2"]


async def test_notices_are_ones_own(world: World) -> None:
    """The bell lists the caller's notices also while acting for a client; another's cannot be marked."""
    boss = await world.user("admin")
    headers = {**(await world.sign_in(boss)), "X-Acting-User": str(await world.client())}
    for title in ("one", "two", "three"):
        await world.db.execute("insert into notifications (user_id, title) values ($1, $2)", boss, title)
    _, stranger = await _client(world)

    listed = (await world.call("GET", "/api/hub/notifications?limit=-5", headers=headers)).json()
    newest = listed["notifications"][0]
    foreign = await world.call("POST", f"/api/hub/notifications/{newest['id']}/read", headers=stranger)
    read = await world.call("PUT", f"/api/hub/notifications/{newest['id']}/read", headers=headers)

    assert listed["unread"] == 3 and len(listed["notifications"]) == 1
    assert (foreign.status_code, read.status_code) == (404, 200)
    assert (await world.call("GET", "/api/hub/notifications", headers=headers)).json()["unread"] == 2
    assert (await world.call("POST", "/api/hub/notifications/read-all", headers=headers)).status_code == 200
    after = (await world.call("GET", "/api/hub/notifications", headers=headers)).json()
    assert after["unread"] == 0 and all(one["read_at"] for one in after["notifications"])


async def test_the_mail_log_is_searched_and_paged(world: World) -> None:
    """Type, status, words and dates filter; wildcards mean themselves; pages out of range are clamped."""
    headers = await admin(world)
    mark = uuid4().hex
    for index, status in enumerate(("sent", "failed", "delivered")):
        await world.db.execute(
            """insert into email_logs (email_type, recipient_email, subject, status, created_at)
               values ('test', $1, $2, $3, now() - make_interval(days => $4))""",
            f"{mark}@example.test", f"100%_{index}", status, index * 40,
        )  # fmt: skip

    async def find(**query: Any) -> Any:
        answer = await world.call("GET", "/api/hub/email-logs", params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    everything = await find(search=mark.upper(), page=-3, limit=2, email_type="all", status="all")
    assert everything["pagination"] == {"page": 1, "limit": 2, "total": 3, "totalPages": 2}
    assert [row["status"] for row in everything["logs"]] == ["sent", "failed"]
    assert (await find(search=mark, status="failed"))["pagination"]["total"] == 1
    assert (await find(search="100%_1"))["pagination"]["total"] >= 1
    assert (await find(search=mark[:3] + "%" + mark[3:]))["pagination"]["total"] == 0
    assert (await find(search=mark, date_from="2000-01-01", date_to="2001-01-01"))["logs"] == []
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert (await find(search=mark, date_from=today, date_to=today))["pagination"]["total"] == 1
    assert (await find(search=mark, date_to=f"{today}T00:00"))["pagination"]["total"] == 2
    for beyond in ("0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"):
        far = await world.call("GET", "/api/hub/email-logs", params={"date_from": beyond}, headers=headers)
        assert far.status_code == 400 and "date_from" in far.json()["message"]
    wrong = await world.call("GET", "/api/hub/email-logs?date_from=yesterday", headers=headers)
    assert wrong.status_code == 400 and "date_from" in wrong.json()["message"]
    stats = (await world.call("GET", "/api/hub/email-logs/stats?days=100000", headers=headers)).json()["stats"]
    assert all(isinstance(row["count"], str) for row in stats)
    month = (await world.call("GET", "/api/hub/email-logs/stats", headers=headers)).json()["stats"]
    assert sum(int(row["count"]) for row in month) < sum(int(row["count"]) for row in stats)


async def test_a_logged_mail_is_shown_without_what_could_run(world: World) -> None:
    """The detail view gets harmless HTML and no stored links that let somebody in."""
    headers = await admin(world)
    log_id = await world.db.fetchval(
        """insert into email_logs (email_type, recipient_email, subject, html_body, metadata)
           values ('test', 'a@example.test', 'S', $1, $2) returning id""",
        '<p style="color:red;position:fixed;inset:0" onclick="x()">Hi</p>'
        '<script>alert(1)</script><a href="javascript:x()">l</a>',
        {"reset_url": "https://secret", "note": "kept"},
    )

    shown = (await world.call("GET", f"/api/hub/email-logs/{log_id}", headers=headers)).json()

    assert shown["html_body"] == '<p style="color:red">Hi</p><a rel="noopener noreferrer">l</a>'
    assert shown["metadata"] == {"note": "kept"} and shown["open_count"] == 0
    assert (await world.call("GET", f"/api/hub/email-logs/{uuid4()}", headers=headers)).status_code == 404


async def test_a_test_mail_is_queued_and_logged(world: World) -> None:
    """An admin's test mail is on its way and in the log; a bad address is named."""
    headers = await admin(world)
    to = f"{uuid4().hex}@example.test"

    sent = await world.call("POST", "/api/hub/email/test", json={"to": to}, headers=headers)
    bad = await world.call("POST", "/api/hub/email/test", json={"to": "a, b@c.test"}, headers=headers)

    assert sent.status_code == 200, sent.text
    assert await world.outbox("emails_send", email_log_id=sent.json()["id"])
    [mail] = await mails(world, to, "test")
    assert str(mail["id"]) == sent.json()["id"]
    assert bad.status_code == 400 and "to" in bad.json()["message"]


async def test_the_logo_of_mails_is_served(world: World) -> None:
    """Mail readers fetch the logo from any site."""
    answer = await world.call("GET", "/email-assets/ANCHOR__CORPS.png")

    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert Image.open(io.BytesIO(answer.content)).size == (360, 80)
