"""Onboarding from the invitation to the summary: links, steps, drafts, the account, the last step, reminders."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.areas.clients.audit import Actor
from shared.areas.onboarding import link_store, links
from tests.functions.conftest import World
from tests.functions.portal import PASSWORD, PDF, SVG, admin, create_client, exists, link_of, mails, png, run_tasks

STATUSES = {
    "website_access_status": "provided",
    "ga4_access_status": "will_provide",
    "google_ads_access_status": "not_sure",
    "meta_access_status": "provided_access",
    "website_forms_details_status": "need_help",
}
COMPLETE: dict[str, Any] = {
    "display_name": "Zoë van Dijk",
    "monthly_revenue_goal": "12,500.50",
    "front_desk_emails": "desk@example.test",
    **STATUSES,
    "brand": {"business_name": "Dijk Dental", "website_url": "https://dijk.example"},
    "services": [{"name": "teeth cleaning", "active": True}, {"name": "Teeth Cleaning"}, {"name": "implants"}],
}


async def _invited(world: World, **body: Any) -> tuple[UUID, str, str, dict[str, str]]:
    """A client with an open link: id, address, token, and an admin's headers."""
    headers = await admin(world)
    client_id, email = await create_client(world, headers, email=f"{uuid4().hex}@example.test", **body)
    return client_id, email, await link_of(world, email), headers


async def _link(world: World, client_id: UUID) -> Any:
    return await world.db.fetchrow(
        "select * from client_onboarding_tokens where user_id = $1 order by created_at desc limit 1", client_id
    )


async def test_a_new_client_is_invited_and_the_link_shows_the_wizard(world: World) -> None:
    """Creating a client mails an invitation with a working link; at rest its token is a hash and a sealed copy."""
    client_id, email, token, headers = await _invited(world, name="Ann Example Smith", client_type="medical")

    answer = await world.call("GET", f"/api/onboarding/{token}")

    assert answer.status_code == 200, answer.text
    state = answer.json()
    assert state["user"]["first_name"] == "Ann" and state["user"]["last_name"] == "Example Smith"
    assert state["user"]["has_password"] is False
    assert state["profile"]["requires_ga4_access"] is True and state["profile"]["client_type"] == "medical"
    assert state["profile"]["front_desk_emails"] == "" and state["brand"] is None and state["services"] == []
    row = await _link(world, client_id)
    assert row["validated_at"] is not None and row["token_value"] is None
    assert token not in row["token_hash"] and token.encode() not in bytes(row["token_sealed"])
    copied = await world.call("GET", f"/api/hub/clients/{client_id}/onboarding-link", headers=headers)
    assert copied.json()["url"].endswith(f"/onboarding/{token}")
    [mail] = await mails(world, email)
    assert token not in mail["text_body"] and token not in str(mail["metadata"])
    assert await world.outbox("emails_send", email_log_id=str(mail["id"]))


async def test_a_client_can_be_made_without_an_invitation(world: World) -> None:
    """``send_email: false`` mails nothing, and then there is no link to copy."""
    headers = await admin(world)
    client_id, email = await create_client(world, headers, email=f"{uuid4().hex}@example.test", send_email=False)

    answer = await world.call("GET", f"/api/hub/clients/{client_id}/onboarding-link", headers=headers)

    assert await mails(world, email) == []
    assert (answer.status_code, answer.json()["noActiveLink"]) == (404, True)


async def test_a_new_link_revokes_the_older_one(world: World) -> None:
    """After the onboarding mail is sent again only the newest link works."""
    client_id, email, first, headers = await _invited(world)

    answer = await world.call("POST", f"/api/hub/clients/{client_id}/onboarding-email", headers=headers)
    second = await link_of(world, email)

    assert answer.status_code == 200 and second != first
    assert (await world.call("GET", f"/api/onboarding/{first}")).status_code == 404
    assert (await world.call("GET", f"/api/onboarding/{second}")).status_code == 200


async def test_two_admins_at_once_leave_one_open_link(world: World) -> None:
    """Admins who send the onboarding mail at the same time leave exactly one link that works."""
    client_id, email, _, headers = await _invited(world)
    path = f"/api/hub/clients/{client_id}/onboarding-email"

    answers = await asyncio.gather(*(world.call("POST", path, headers=headers) for _ in range(5)))

    assert [answer.status_code for answer in answers] == [200] * 5
    open_links = await world.db.fetchval(
        """select count(*) from client_onboarding_tokens
           where user_id = $1 and consumed_at is null and revoked_at is null""",
        client_id,
    )
    assert open_links == 1
    assert len(await mails(world, email, "onboarding_invite")) == 6


@pytest.mark.parametrize("change", ["address", "role"])
async def test_a_link_ends_with_what_it_proves(world: World, change: str) -> None:
    """Whoever got the mail at the client's old address, or of their old role, cannot use its link any more."""
    client_id, _, token, _ = await _invited(world)
    boss = await world.sign_in(await world.user("superadmin"))
    path, new = f"/api/hub/clients/{client_id}", f"{uuid4().hex}@example.test"

    if change == "address":
        await world.call("PUT", path, json={"user_email": new}, headers=boss)
    else:
        for role in ("team", "client"):
            await world.call("PUT", path, json={"role": role}, headers=boss)

    body = {"display_name": "A B", "password": PASSWORD}
    assert (await world.call("GET", f"/api/onboarding/{token}")).status_code == 404
    assert (await world.call("POST", f"/api/onboarding/{token}/activate", json=body)).status_code == 404
    if change == "address":  # the invitation follows the client to the new one
        assert (await world.call("GET", f"/api/onboarding/{await link_of(world, new)}")).status_code == 200


@pytest.mark.parametrize("path", ["/avatar", "/upload/brand"])
async def test_a_link_that_ends_during_an_upload_keeps_nothing(world: World, path: str) -> None:
    """A file that is on its way to the bucket while its link is revoked is not the client's."""
    client_id, _, token, _ = await _invited(world)
    bucket = world.services.storage

    class Slow:
        async def put(self, *given: Any, **named: Any) -> None:
            await world.db.execute(
                "update client_onboarding_tokens set revoked_at = now() where user_id = $1", client_id
            )
            await bucket.put(*given, **named)

    world.services.__dict__["storage"] = Slow()
    try:
        field = "avatar" if path == "/avatar" else "brand_assets"
        answer = await world.call(
            "POST", f"/api/onboarding/{token}{path}", files={field: ("a.png", png(), "image/png")}
        )
    finally:
        world.services.__dict__["storage"] = bucket

    assert answer.status_code == 404, answer.text
    attached = await world.db.fetchval("select count(attached_at) from stored_files where owner_id = $1", client_id)
    assert attached == 0


async def test_nobody_waits_crosswise_for_a_client_and_their_link(world: World) -> None:
    """The first step, a reminder and a new invitation at the same moment all go through, one after another."""
    client_id, email, _, _ = await _invited(world)
    await _age_link(world, client_id, created=timedelta(hours=50), ends=timedelta(hours=1))
    actor = Actor(id=await world.user("admin"), role="admin", ip="10.0.0.1", user_agent="", session_id=uuid4())
    mailing = links.mailing(world.services)

    async def invite(begun: asyncio.Event) -> None:
        await begun.wait()
        async with world.db.transaction() as tx:
            await links.invite(tx, client_id, actor, mailing)

    async def remind(begun: asyncio.Event) -> None:
        async with world.db.transaction() as tx:
            row = await link_store.next_ending(tx, timedelta(hours=24))
            assert row is not None and row["user_id"] == client_id
            begun.set()
            await asyncio.sleep(0.1)
            await tx.execute(
                "insert into notifications (user_id, title) values ($1, 'a row that names them')", client_id
            )
            await link_store.client_reminded(tx, row["id"])

    async def use_up(begun: asyncio.Event) -> None:
        async with world.db.transaction() as tx:
            await links.consume(tx, await link_of(world, email))
            begun.set()
            await asyncio.sleep(0.1)
            await tx.execute("update users set first_name = 'Ann' where id = $1", client_id)

    for first in (remind, use_up):
        begun = asyncio.Event()
        await asyncio.gather(first(begun), invite(begun))


@pytest.mark.parametrize("path", ["", "/draft", "/activate", "/avatar", "/brand-assets", "/upload/brand", "/step"])
async def test_a_link_ends_on_time(world: World, path: str) -> None:
    """A link past its end opens nothing."""
    client_id, _, token, _ = await _invited(world)
    await world.db.execute(
        "update client_onboarding_tokens set expires_at = now() - interval '1 s' where user_id = $1", client_id
    )
    body: dict[str, Any] = {"json": {"display_name": "A B", "password": PASSWORD, "draft": {}}}
    if "avatar" in path or "brand" in path:
        body = {"files": {"avatar" if path == "/avatar" else "brand_assets": ("a.png", png(), "image/png")}}

    answer = await world.call("POST", f"/api/onboarding/{token}{path}", **body)

    assert answer.status_code == 404, answer.text
    assert (await world.call("GET", f"/api/onboarding/{token}")).status_code == 404
    assert (await world.call("GET", "/api/onboarding/nonsense")).status_code == 404


async def test_a_draft_is_kept_without_passwords(world: World) -> None:
    """Drafts come back as they were saved, but for passwords; too large a one is a 413."""
    _, _, token, _ = await _invited(world)
    draft = {"activeStep": 2, "form": {"display_name": "Ann", "password": "x", "nested": [{"confirmPassword": "y"}]}}

    saved = await world.call("POST", f"/api/onboarding/{token}/draft", json={"draft": draft})
    too_large = await world.call("POST", f"/api/onboarding/{token}/draft", json={"draft": {"a": "b" * 70_000}})

    assert saved.json() == {"success": True}
    profile = (await world.call("GET", f"/api/onboarding/{token}")).json()["profile"]
    assert profile["onboarding_draft_json"] == {
        "activeStep": 2,
        "form": {"display_name": "Ann", "nested": [{}]},
    }
    assert profile["onboarding_draft_saved_at"].endswith("Z")
    assert too_large.status_code == 413


async def test_a_step_saves_its_own_fields(world: World) -> None:
    """A step writes its fields and leaves the others alone; a field of another step is named."""
    client_id, _, token, _ = await _invited(world)
    path = f"/api/onboarding/{token}/step"

    ga4 = await world.call("POST", path, json={"step": "ga4", "data": {"ga4_access_status": "will_provide"}})
    profile = await world.call("POST", path, json={"step": "profile", "data": {"office_admin_name": "Bo"}})
    foreign = await world.call("POST", path, json={"step": "ga4", "data": {"office_admin_name": "Bo"}})
    unknown = await world.call("POST", path, json={"step": "ga4", "data": {"ga4_access_status": "perhaps"}})
    empty = await world.call("POST", path, json={})

    assert (ga4.status_code, profile.status_code) == (200, 200)
    row = await world.db.fetchrow("select * from client_profiles where user_id = $1", client_id)
    assert row["ga4_access_status"] == "will_provide" and row["ga4_access_understood"] is True
    assert row["ga4_access_provided"] is False and row["office_admin_name"] == "Bo"
    assert foreign.status_code == 400 and "office_admin_name" in foreign.json()["message"]
    assert unknown.status_code == 400 and "ga4_access_status" in unknown.json()["message"]
    assert empty.status_code == 400 and "draft" in empty.json()["message"]


async def test_the_first_step_makes_the_account_once(world: World) -> None:
    """Activation sets the password, proves the address, signs in and uses the link up; the second call is a 404."""
    client_id, email, token, _ = await _invited(world)
    body = {"display_name": "Ann van Dijk", "password": PASSWORD}

    answers = await asyncio.gather(
        *(world.call("POST", f"/api/onboarding/{token}/activate", json=body) for _ in range(2))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 404]
    answer = next(one for one in answers if one.status_code == 200)
    session = answer.json()
    assert session["success"] is True and session["user_id"] == str(client_id)
    assert session["user"]["email"] == email and session["expiresIn"] > 0
    assert "refresh_token=" in answer.headers["set-cookie"]
    bearer = {"Authorization": f"Bearer {session['accessToken']}"}
    me = await world.call("GET", "/api/onboarding/me", headers=bearer)
    assert me.json()["user"]["last_name"] == "van Dijk"
    user = await world.db.fetchrow("select * from users where id = $1", client_id)
    assert user["password_hash"].startswith("$argon2id$") and user["email_verified_at"] is not None
    row = await _link(world, client_id)
    assert row["consumed_at"] is not None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": PASSWORD}, "display_name"),
        ({"display_name": "A", "password": "short"}, "password"),
        ({"display_name": "A"}, "password"),
        ({"display_name": " ", "password": PASSWORD}, "display_name"),
    ],
)
async def test_activation_names_what_is_wrong_and_keeps_the_link(world: World, body: Any, field: str) -> None:
    """A weak password or a missing name is a 400 that names it; the link still works."""
    _, _, token, _ = await _invited(world)

    answer = await world.call("POST", f"/api/onboarding/{token}/activate", json=body)

    assert answer.status_code == 400 and field in answer.json()["message"]
    assert (await world.call("GET", f"/api/onboarding/{token}")).status_code == 200


async def test_finishing_saves_everything_and_tells_everybody_once(world: World) -> None:
    """The last step stores all fields, files a PDF, mails the client and head staff; a repeat changes nothing."""
    client_id, email, _, headers = await _invited(world)
    boss = await world.user("superadmin")
    bearer = await world.sign_in(client_id)
    old = await world.db.fetchval(
        "insert into services (user_id, name, base_price) values ($1, 'Implants', 900) returning id", client_id
    )

    first = await world.call("POST", "/api/onboarding/me/complete", json=COMPLETE, headers=bearer)
    again = await world.call("POST", "/api/onboarding/me/submit", json={"display_name": "Other"}, headers=bearer)

    assert first.status_code == 200, first.text
    assert first.json()["user_id"] == again.json()["user_id"] == str(client_id)
    assert await run_tasks(world, "onboarding_finish") == 1
    profile = await world.db.fetchrow("select * from client_profiles where user_id = $1", client_id)
    assert profile["onboarding_completed_at"] and profile["onboarding_draft_json"] is None
    assert str(profile["monthly_revenue_goal"]) == "12500.50" and profile["meta_access_provided"] is True
    services = await world.db.fetch("select id, name, base_price, active from services where user_id = $1", client_id)
    assert {row["name"] for row in services if row["active"]} == {"Teeth Cleaning", "Implants"}
    assert {row["id"]: row["base_price"] for row in services}[old] == 900
    assert (await world.db.fetchval("select first_name from users where id = $1", client_id)) == "Zoë"
    assert (await _link(world, client_id))["revoked_at"] is not None
    docs = (await world.call("GET", "/api/hub/docs", headers=bearer)).json()["docs"]
    assert [doc["label"] for doc in docs] == ["Onboarding summary"]
    pdf = await world.call("GET", docs[0]["url"], headers=bearer)
    assert pdf.content.startswith(b"%PDF-") and pdf.headers["content-type"] == "application/pdf"
    assert len(await mails(world, email, "onboarding_complete")) == 1
    told = await world.db.fetch("select title, link_url from notifications where user_id = $1", boss)
    assert [(row["title"], row["link_url"]) for row in told if row["title"] == "Onboarding complete"] == [
        ("Onboarding complete", "/client-hub")
    ]
    resend = await world.call("POST", f"/api/hub/clients/{client_id}/onboarding-email", headers=headers)
    assert (resend.status_code, resend.json()["code"]) == (400, "ONBOARDING_DONE")


async def test_the_switches_say_which_steps_must_be_answered(world: World) -> None:
    """A step that the client's profile asks for must be answered before finishing; one switched off need not."""
    client_id, _, _, headers = await _invited(world)
    bearer = await world.sign_in(client_id)
    body = {**COMPLETE, "meta_access_status": ""}

    refused = await world.call("POST", "/api/onboarding/me/complete", json=body, headers=bearer)
    await world.call("PUT", f"/api/hub/clients/{client_id}", json={"requires_meta_access": False}, headers=headers)
    accepted = await world.call("POST", "/api/onboarding/me/complete", json=body, headers=bearer)

    assert refused.status_code == 400 and "meta_access_status" in refused.json()["message"]
    assert accepted.status_code == 200, accepted.text


async def test_finishing_by_link_uses_it_up(world: World) -> None:
    """The whole wizard can be sent by link, once, and sets the first password, without which nobody could sign in."""
    client_id, _, token, _ = await _invited(world)
    body = {**COMPLETE, "password": PASSWORD}

    without = await world.call("POST", f"/api/onboarding/{token}", json=COMPLETE)
    first = await world.call("POST", f"/api/onboarding/{token}", json=body)
    second = await world.call("POST", f"/api/onboarding/{token}", json=body)

    assert without.status_code == 400 and "password" in without.json()["message"]
    assert (first.status_code, second.status_code) == (200, 404)
    assert (await _link(world, client_id))["consumed_at"] is not None
    assert await world.db.fetchval("select password_hash from users where id = $1", client_id)


async def test_the_last_step_changes_a_password_only_with_the_current_one(world: World) -> None:
    """Signed in, another password needs the current one; an acting admin and staff cannot set one at all."""
    client_id, _, token, headers = await _invited(world)
    activated = await world.call(
        "POST", f"/api/onboarding/{token}/activate", json={"display_name": "A B", "password": PASSWORD}
    )
    bearer = {"Authorization": f"Bearer {activated.json()['accessToken']}"}
    path, other = "/api/onboarding/me/complete", "Another-Horse-7-Stable"
    team = await world.sign_in(await world.user("team"))

    refused = await world.call("POST", path, json={**COMPLETE, "password": other}, headers=bearer)
    acting = await world.call(
        "POST", path, json={**COMPLETE, "password": other}, headers={**headers, "X-Acting-User": str(client_id)}
    )
    staff = await world.call("POST", path, json={**COMPLETE, "password": other}, headers=team)
    same = await world.call("POST", path, json={**COMPLETE, "password": PASSWORD}, headers=bearer)

    assert refused.status_code == 400 and "current_password" in refused.json()["message"]
    assert (acting.status_code, staff.status_code) == (403, 403)
    assert same.status_code == 200, same.text


async def test_the_last_step_is_no_place_to_guess_passwords(world: World) -> None:
    """After five wrong passwords the last step asks to wait, also when the right one comes."""
    _, _, token, _ = await _invited(world)
    made = await world.call(
        "POST", f"/api/onboarding/{token}/activate", json={"display_name": "A B", "password": PASSWORD}
    )
    bearer = {"Authorization": f"Bearer {made.json()['accessToken']}"}

    async def guess(password: str) -> int:
        body = {**COMPLETE, "password": password, "current_password": password}
        return (await world.call("POST", "/api/onboarding/me/complete", json=body, headers=bearer)).status_code

    assert [await guess(f"Wrong-Horse-{n}-Stable") for n in range(5)] == [400] * 5
    assert await guess(PASSWORD) == 429


async def test_whoever_impersonates_a_client_sets_no_password(world: World) -> None:
    """An admin signed in as a client without a password cannot give them one, in the wizard or the profile."""
    client_id = await world.client()
    bearer = await world.sign_in(client_id)
    await world.db.execute(
        "update user_sessions set impersonator_id = $2 where user_id = $1", client_id, await world.user("admin")
    )

    finish = await world.call(
        "POST", "/api/onboarding/me/complete", json={**COMPLETE, "password": PASSWORD}, headers=bearer
    )
    profile = await world.call("PUT", "/api/hub/profile", json={"new_password": PASSWORD}, headers=bearer)

    assert (finish.status_code, profile.status_code) == (403, 403)


async def test_brand_files_by_link_are_seen_by_its_holder_only(world: World) -> None:
    """Files uploaded by link show at addresses under it, style guides among the logos; deleting takes the blob."""
    _, _, token, _ = await _invited(world)
    path = f"/api/onboarding/{token}/upload/brand"

    await world.call("POST", path, files={"brand_assets": ("logo.png", png(), "image/png")})
    answer = await world.call(
        "POST", path, files={"brand_asset": ("guide.pdf", PDF, "application/pdf")}, data={"asset_kind": "style_guide"}
    )

    assert answer.status_code == 200, answer.text
    logos = answer.json()["logos"]
    assert answer.json()["assets"] == logos and [logo["kind"] for logo in logos] == ["logo", "style_guide"]
    assert [logo["mime"] for logo in logos] == ["image/png", "application/pdf"]
    shown = await world.call("GET", logos[0]["url"])
    assert shown.content == png() and shown.headers["content-type"] == "image/png"
    other = (await _invited(world))[2]
    assert (await world.call("GET", logos[0]["url"].replace(token, other))).status_code == 404
    loaded = (await world.call("GET", f"/api/onboarding/{token}")).json()["brand"]
    assert [logo["id"] for logo in loaded["logos"]] == [logo["id"] for logo in logos]
    left = await world.call("DELETE", f"/api/onboarding/{token}/brand-assets/{logos[0]['id']}")
    assert [logo["id"] for logo in left.json()["logos"]] == [logos[1]["id"]]
    assert await exists(world, f"brand/{logos[0]['id']}")
    await run_tasks(world, "files_delete")
    assert not await exists(world, f"brand/{logos[0]['id']}")


@pytest.mark.parametrize(
    ("name", "data", "declared"),
    [
        ("page.html", b"<html>", "text/html"),
        ("logo.png", b"<html><script>", "image/png"),
        ("logo.png", png(), "text/html"),
        ("run.exe", b"MZ", "application/octet-stream"),
        ("logo.png", b"", "image/png"),
        ("none", png(), "image/png"),
    ],
)
async def test_a_file_that_is_not_what_it_says_is_refused(world: World, name: str, data: bytes, declared: str) -> None:
    """Extension, declared type and content must agree and be on the list, else 400 naming the field."""
    _, _, token, _ = await _invited(world)

    answer = await world.call(
        "POST", f"/api/onboarding/{token}/brand-assets", files={"brand_assets": (name, data, declared)}
    )

    assert answer.status_code == 400 and "brand_assets" in answer.json()["message"]


async def test_an_svg_is_kept_but_never_runs(world: World) -> None:
    """A drawing with a script is downloaded, not opened, and its policy lets nothing run."""
    _, _, token, _ = await _invited(world)
    files = {"brand_assets": ("mark.svg", SVG, "image/svg+xml")}
    [asset] = (await world.call("POST", f"/api/onboarding/{token}/brand-assets", files=files)).json()["assets"]

    answer = await world.call("GET", asset["url"])

    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def _age_link(world: World, client_id: UUID, *, created: timedelta, ends: timedelta) -> None:
    await world.db.execute(
        """update client_onboarding_tokens set created_at = now() - $2::interval, expires_at = now() + $3::interval
           where user_id = $1""",
        client_id, created, ends,
    )  # fmt: skip


async def test_a_client_is_reminded_before_the_link_ends_once(world: World) -> None:
    """Within a day of its end the client gets the link again, once; the mail log does not keep it."""
    client_id, email, token, _ = await _invited(world)
    await _age_link(world, client_id, created=timedelta(hours=50), ends=timedelta(hours=22))

    for _ in range(2):
        assert (await world.run_schedule("onboarding_remind")).status_code == 204

    [mail] = await mails(world, email, "onboarding_reminder")
    assert token in mail["text"] and token not in mail["text_body"]


async def test_a_link_that_cannot_be_read_keeps_nobody_from_their_reminder(world: World) -> None:
    """A damaged copy of one client's link leaves the others' reminders as they are."""
    damaged, fine = await _invited(world), await _invited(world)
    for hours, (client_id, *_) in enumerate((damaged, fine), start=1):
        await _age_link(world, client_id, created=timedelta(hours=50), ends=timedelta(hours=hours))
    await world.db.execute(
        "update client_onboarding_tokens set token_sealed = $2 where user_id = $1", damaged[0], b"\x01" * 60
    )

    assert (await world.run_schedule("onboarding_remind")).status_code == 204

    assert len(await mails(world, fine[1], "onboarding_reminder")) == 1
    assert await mails(world, damaged[1], "onboarding_reminder") == []


async def test_two_reminders_on_one_day_are_two_mails(world: World) -> None:
    """A client who was reminded, then made the account and stopped, is reminded of the rest the same day too."""
    client_id, email, token, _ = await _invited(world)
    await _age_link(world, client_id, created=timedelta(hours=50), ends=timedelta(hours=1))
    await world.run_schedule("onboarding_remind")
    await world.call("POST", f"/api/onboarding/{token}/activate", json={"display_name": "A B", "password": PASSWORD})
    await _age_link(world, client_id, created=timedelta(hours=51), ends=-timedelta(minutes=1))

    await world.run_schedule("onboarding_remind")

    said = [mail["text"] for mail in await mails(world, email, "onboarding_reminder")]
    assert [token in text for text in said] == [True, False]


async def test_a_fresh_or_finished_link_reminds_nobody(world: World) -> None:
    """A link far from its end, a revoked one, and a finished client cause no reminder."""
    fresh = await _invited(world)
    revoked = await _invited(world)
    finished = await _invited(world)
    await world.db.execute("update client_onboarding_tokens set revoked_at = now() where user_id = $1", revoked[0])
    await world.db.execute("update client_profiles set onboarding_completed_at = now() where user_id = $1", finished[0])
    for one in (revoked, finished):
        await _age_link(world, one[0], created=timedelta(hours=80), ends=-timedelta(hours=1))

    await world.run_schedule("onboarding_remind")

    for one in (fresh, revoked, finished):
        assert await mails(world, one[1], "onboarding_reminder") == []
        told = await world.db.fetchval(
            "select count(*) from notifications where meta ->> 'client_id' = $1", str(one[0])
        )
        assert told == 0


async def test_the_account_manager_hears_of_a_link_that_ended_instead_of_head_staff(world: World) -> None:
    """Whoever has the address that the client's account manager has at Monday, if they are staff."""
    address, number = f"{uuid4().hex}@anchor.test", str(uuid4().int)
    manager, boss = await world.user("team", email=address), await world.user("superadmin")
    await world.db.execute("insert into monday_people (id, name, email) values ($1, 'M', $2)", number, address)
    client_id = await world.client()
    await world.db.execute(
        "update client_profiles set account_manager_person_id = $2 where user_id = $1", client_id, number
    )
    await world.db.execute(
        """insert into client_onboarding_tokens (user_id, token_hash, expires_at, created_at)
           values ($1, $2, now() - interval '1 minute', now() - interval '3 days')""",
        client_id, uuid4().hex,
    )  # fmt: skip

    await world.run_schedule("onboarding_remind")

    told = "select count(*) from notifications where user_id = $1 and meta ->> 'client_id' = $2"
    assert await world.db.fetchval(told, manager, str(client_id)) == 1
    assert await world.db.fetchval(told, boss, str(client_id)) == 0


async def test_staff_hears_of_a_link_that_ended_unused_once(world: World) -> None:
    """After a link's end the head staff is told once, in the bell and by mail; the client is not."""
    boss = await world.user("superadmin")
    client_id, email, _, _ = await _invited(world)
    await _age_link(world, client_id, created=timedelta(hours=80), ends=-timedelta(minutes=1))

    for _ in range(2):
        await world.run_schedule("onboarding_remind")

    told = await world.db.fetch(
        "select meta, title from notifications where user_id = $1 and meta ->> 'client_id' = $2", boss, str(client_id)
    )
    assert [row["title"] for row in told] == ["Onboarding link expired"]
    assert told[0]["meta"]["type"] == "onboarding_link_expired"
    assert await mails(world, email, "onboarding_reminder") == []


async def test_a_client_who_stopped_half_way_is_reminded_too(world: World) -> None:
    """Whoever made the account and did not finish is asked to sign in and go on, without a link that lets in."""
    client_id, email, token, _ = await _invited(world)
    await world.call("POST", f"/api/onboarding/{token}/activate", json={"display_name": "A B", "password": PASSWORD})
    await _age_link(world, client_id, created=timedelta(hours=80), ends=-timedelta(minutes=1))

    await world.run_schedule("onboarding_remind")

    [mail] = await mails(world, email, "onboarding_reminder")
    assert mail["text"].count("/onboarding") == 1 and token not in mail["text"]


async def test_links_long_over_are_purged(world: World) -> None:
    """A link that ended a month ago goes with the sealed copy of its token; one that ended lately stays."""
    old, late = (await _invited(world))[0], (await _invited(world))[0]
    await _age_link(world, old, created=timedelta(days=40), ends=-timedelta(days=31))
    await _age_link(world, late, created=timedelta(days=40), ends=-timedelta(days=29))

    await world.run_schedule("jobs_purge_finished")

    assert await _link(world, old) is None and await _link(world, late) is not None


async def test_a_link_is_written_down_nowhere(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A link's token and the password are in no log line, error or row: not when mailed, used, copied or misused."""
    _, email, token, _ = await _invited(world)
    path = f"/api/onboarding/{token}"
    for method, rest, body in (
        ("GET", "", None),
        ("POST", "/draft", {"draft": {"password": PASSWORD}}),
        ("POST", "/step", {"step": "nonsense"}),
        ("POST", "/activate", {"display_name": "A B", "password": PASSWORD}),
        ("POST", "/activate", {"display_name": "A B", "password": PASSWORD}),
    ):
        answer = await world.call(method, f"{path}{rest}", json=body)
    await run_tasks(world, "emails_send")

    written = capsys.readouterr()
    tables = ("client_onboarding_tokens", "client_profiles", "email_logs", "outbox", "security_audit_log", "users")
    rows = [str(await world.db.fetch(f"select * from {table}")) for table in tables]
    assert answer.status_code == 404 and "onboarding_activate" in written.out and email in "".join(rows)
    for text in (written.out, written.err, answer.text, *rows):
        assert token not in text and PASSWORD not in text


async def test_two_tabs_finish_once(world: World) -> None:
    """The last step sent by two tabs at the same moment is one completion, one summary, one mail to the client."""
    client_id, email, _, _ = await _invited(world)
    bearer = await world.sign_in(client_id)

    answers = await asyncio.gather(
        *(world.call("POST", "/api/onboarding/me/complete", json=COMPLETE, headers=bearer) for _ in range(3))
    )
    await run_tasks(world, "onboarding_finish")

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(await mails(world, email, "onboarding_complete")) == 1
    assert len((await world.call("GET", "/api/hub/docs", headers=bearer)).json()["docs"]) == 1


async def test_onboarding_is_for_clients(world: World) -> None:
    """Staff have no onboarding to load or write; a client loads their own."""
    team = await world.sign_in(await world.user("team"))

    loaded = await world.call("GET", "/api/onboarding/me", headers=team)
    saved = await world.call("POST", "/api/onboarding/me/draft", json={"draft": {}}, headers=team)

    assert (loaded.status_code, saved.status_code) == (404, 403)
