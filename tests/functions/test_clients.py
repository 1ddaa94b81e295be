"""Clients and staff as admins keep them: accounts, settings, secrets, hierarchy, services."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.areas.accounts import rules as account_rules
from shared.crypto import KeyRing, column_context
from tests.functions.conftest import SECRETS, World
from tests.functions.portal import PASSWORD, PDF, admin, create_client, exists, mails, run_tasks


async def _client(world: World) -> tuple[UUID, dict[str, str]]:
    headers = await admin(world)
    client_id, _ = await create_client(world, headers, email=f"{uuid4().hex}@example.test", send_email=False)
    return client_id, headers


async def _update(world: World, client_id: UUID, headers: dict[str, str], **body: Any) -> Any:
    return await world.call("PUT", f"/api/hub/clients/{client_id}", json=body, headers=headers)


async def test_an_address_has_one_account(world: World) -> None:
    """A second account for an address, whatever its case, is a 409 with the first one's id; bad ones are named."""
    headers = await admin(world)
    email = f"{uuid4().hex}@Example.TEST"
    first, _ = await create_client(world, headers, email=email)

    again = await world.call("POST", "/api/hub/clients", json={"email": email.upper()}, headers=headers)
    at_once = await asyncio.gather(
        *(
            world.call(
                "POST",
                "/api/hub/clients",
                json={"email": "x" + email, "name": None, "first_name": "A", "last_name": None},
                headers=headers,
            )
            for _ in range(4)
        )
    )
    bad = [
        await world.call("POST", "/api/hub/clients", json=body, headers=headers)
        for body in ({}, {"email": "nobody"}, {"email": "a@b.test", "role": "king"})
    ]

    assert again.status_code == 409 and again.json()["existing_user_id"] == str(first)
    assert sorted(answer.status_code for answer in at_once) == [201, 409, 409, 409]
    assert [answer.status_code for answer in bad] == [400, 400, 400]
    assert [field in answer.json()["message"] for answer, field in zip(bad, ("email", "email", "role"), strict=True)]


async def test_the_list_has_what_the_editor_needs(world: World) -> None:
    """Clients and staff are listed with every setting, newest first; superadmins are not."""
    client_id, headers = await _client(world)
    boss = await world.user("superadmin")
    await _update(world, client_id, headers, client_package="Growth", looker_url="https://looker.test/x")

    listed = (await world.call("GET", "/api/hub/clients", headers=headers)).json()["clients"]

    by_id = {row["id"]: row for row in listed}
    row = by_id[str(client_id)]
    assert row["client_package"] == "Growth" and row["requires_ga4_access"] is True and row["business_name"] is None
    assert row["auto_star_enabled"] is False and row["ai_prompt"] and row["user_id"] == row["id"]
    assert str(boss) not in by_id
    one = (await world.call("GET", f"/api/hub/clients/{client_id}", headers=headers)).json()["client"]
    assert one["ai_prompt"] == row["ai_prompt"] and one["created_at"].endswith("Z")
    for nowhere in (uuid4(), "not-a-uuid"):
        assert (await world.call("GET", f"/api/hub/clients/{nowhere}", headers=headers)).status_code == 404


async def test_an_update_changes_only_what_it_names(world: World) -> None:
    """Absent fields stay; null and empty clear; a wrong value is a 400 that names its field."""
    client_id, headers = await _client(world)
    await _update(world, client_id, headers, client_package="Growth", monday_board_id="77", requires_ga4_access=False)

    renamed = await _update(world, client_id, headers, display_name="Bo van Berg")
    cleared = await _update(world, client_id, headers, monday_board_id="", client_package=None)

    assert renamed.status_code == 200, renamed.text
    client = renamed.json()["client"]
    assert (client["first_name"], client["last_name"]) == ("Bo", "van Berg")
    assert client["client_package"] == "Growth" and client["monday_board_id"] == "77"
    assert client["requires_ga4_access"] is False
    assert cleared.json()["client"]["monday_board_id"] is None and cleared.json()["client"]["client_package"] is None
    for body in ({"client_package": "Gold"}, {"looker_url": "javascript:alert(1)"}, {"task_workspace_id": "x"}):
        wrong = await _update(world, client_id, headers, **body)
        assert wrong.status_code == 400 and next(iter(body)) in wrong.json()["message"]
    unknown = await _update(world, client_id, headers, task_workspace_id=str(uuid4()), display_name="Nobody")
    assert unknown.status_code == 400 and "task_workspace_id" in unknown.json()["message"]
    after = await world.db.fetchval("select first_name from users where id = $1", client_id)
    assert after == "Bo"  # all or nothing


async def test_ctm_secrets_are_sealed_and_never_sent_out(world: World) -> None:
    """A key is stored sealed, shown to nobody, kept when blank, and forgotten with the account number."""
    client_id, headers = await _client(world)
    given = {"ctm_account_number": "12345", "ctm_api_key": "key-of-ctm", "ctm_api_secret": "secret-of-ctm"}

    saved = await _update(world, client_id, headers, **given)
    await _update(world, client_id, headers, ctm_api_key="", ctm_api_secret=None, ctm_account_number="12346")

    assert "key-of-ctm" not in saved.text and saved.json()["client"]["ctm_credentials_set"] is True
    assert saved.json()["client"]["ctm_api_key"] is None
    row = await world.db.fetchrow("select * from client_profiles where user_id = $1", client_id)
    ring = KeyRing.parse(SECRETS["ENCRYPTION_KEYS"])
    assert row["ctm_api_secret"].startswith("enc:1:") and row["ctm_credentials_key_id"] == ring.current
    context = column_context("client_profiles", "ctm_api_key", client_id)
    assert ring.open_text(row["ctm_api_key"], context=context) == "key-of-ctm"
    listed = await world.call("GET", "/api/hub/clients", headers=headers)
    assert "enc:1:" not in listed.text
    emptied = await _update(world, client_id, headers, ctm_account_number="")
    assert emptied.json()["client"]["ctm_credentials_set"] is False


async def test_a_client_with_a_workspace_has_a_board(world: World) -> None:
    """Workspace and identifier make a board of that name with one group; a new identifier renames it."""
    client_id, headers = await _client(world)
    workspace = await world.db.fetchval("insert into task_workspaces (name) values ('W') returning id")

    made = await _update(
        world, client_id, headers, task_workspace_id=str(workspace), client_identifier_value="DIJK", board_prefix="D"
    )
    await _update(world, client_id, headers, client_identifier_value="DIJK2")

    board_id = made.json()["client"]["task_board_id"]
    board = await world.db.fetchrow("select * from task_boards where id = $1", UUID(board_id))
    assert (board["name"], board["board_prefix"], board["workspace_id"]) == ("DIJK2", "D", workspace)
    groups = await world.db.fetch("select name from task_groups where board_id = $1", UUID(board_id))
    assert [group["name"] for group in groups] == ["Main"]
    gone = await world.call("DELETE", f"/api/hub/clients/{client_id}?delete_board=true", headers=headers)
    assert gone.json()["boardDeleted"] is True
    assert await world.db.fetchval("select count(*) from task_boards where id = $1", UUID(board_id)) == 0


@pytest.mark.parametrize(("actor", "target"), [("admin", "admin"), ("admin", "superadmin")])
async def test_nobody_edits_above_themselves(world: World, actor: str, target: str) -> None:
    """Admins manage team and clients; an equal or higher account is a 403, as is giving such a role."""
    headers = await world.sign_in(await world.user(actor))
    above, below = await world.user(target), await world.user("team")

    answers = [
        await _update(world, above, headers, display_name="X"),
        await world.call("DELETE", f"/api/hub/clients/{above}", headers=headers),
        await _update(world, below, headers, role=target),
        await world.call(
            "POST", "/api/hub/clients", json={"email": f"{uuid4().hex}@a.test", "role": target}, headers=headers
        ),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4


async def test_the_last_superadmin_stays(world: World) -> None:
    """Neither deleted nor demoted; of two who remove each other at once one remains."""
    await world.db.execute("update users set role = 'admin' where role = 'superadmin'")
    one, two = await world.user("superadmin"), await world.user("superadmin")
    as_one, as_two = await world.sign_in(one), await world.sign_in(two)

    answers = await asyncio.gather(
        world.call("DELETE", f"/api/hub/clients/{two}", headers=as_one),
        world.call("DELETE", f"/api/hub/clients/{one}", headers=as_two),
    )

    left = await world.db.fetch("select id from users where role = 'superadmin'")
    assert len(left) == 1
    assert sorted(answer.status_code for answer in answers) in ([200, 401], [200, 409]), [a.text for a in answers]
    last = await world.sign_in(left[0]["id"])
    demoted = await _update(world, left[0]["id"], last, role="admin")
    deleted = await world.call("DELETE", f"/api/hub/clients/{left[0]['id']}", headers=last)
    assert (demoted.status_code, demoted.json()["code"]) == (409, "LAST_SUPERADMIN")
    assert (deleted.status_code, deleted.json()["code"]) == (400, "OWN_ACCOUNT")


async def test_a_deleted_client_leaves_no_file(world: World) -> None:
    """Deleting an account takes its rows, sessions, and every blob, the old server's too."""
    client_id, headers = await _client(world)
    client = await world.sign_in(client_id)
    files = {"client_doc": ("a.pdf", PDF, "application/pdf")}
    [doc] = (await world.call("POST", "/api/hub/docs", files=files, headers=client)).json()["docs"]
    old = f"/uploads/docs/{uuid4().hex}.pdf"
    await world.services.storage.put(old.removeprefix("/uploads/"), PDF, content_type="application/pdf")
    await world.db.execute("insert into documents (user_id, name, url) values ($1, 'o', $2)", client_id, old)

    answer = await world.call("DELETE", f"/api/hub/clients/{client_id}", headers=headers)

    assert answer.json()["targetRole"] == "client" and answer.json()["boardDeleted"] is False
    await run_tasks(world, "files_delete")
    assert not await exists(world, f"docs/{doc['url'].split('/')[2]}")
    assert not await exists(world, old.removeprefix("/uploads/"))
    assert (await world.call("GET", "/api/hub/docs", headers=client)).status_code == 401
    audited = await world.db.fetchval(
        """select count(*) from security_audit_log
           where event_type = 'client_deleted' and details ->> 'target_user_id' = $1""",
        str(client_id),
    )
    assert audited == 1


async def test_a_change_of_role_or_address_ends_sessions(world: World) -> None:
    """Whoever gets another role or address signs in again; the new address is unproven, a taken one a 409."""
    boss = await world.sign_in(await world.user("superadmin"))
    team_id = await world.user("team")
    team = await world.sign_in(team_id)
    taken = f"{uuid4().hex}@example.test"
    await world.user("client", email=taken)

    refused = await _update(world, team_id, boss, user_email=taken.upper())
    promoted = await _update(world, team_id, boss, role="admin", user_email=f"New-{uuid4().hex}@Example.test")

    assert refused.status_code == 409
    assert promoted.status_code == 200 and promoted.json()["client"]["email"].startswith("new-")
    assert promoted.json()["client"]["role"] == "admin"
    assert (await world.call("GET", "/api/hub/notifications", headers=team)).status_code == 401


async def test_an_address_taken_at_the_same_moment_is_a_conflict(world: World) -> None:
    """Whoever comes second for an address that another transaction is about to take gets a 409, no crash."""
    client_id, headers = await _client(world)
    other, new = await world.client(), f"{uuid4().hex}@example.test"

    async with world.db.transaction() as tx:
        await tx.execute("update users set email = $2 where id = $1", other, new)
        second = asyncio.ensure_future(_update(world, client_id, headers, user_email=new))
        await asyncio.sleep(0.1)
    answer = await second

    assert (answer.status_code, answer.json()["code"]) == (409, "EMAIL_EXISTS")


async def test_a_new_address_ends_what_was_mailed_to_the_old_one(world: World) -> None:
    """A link to set the password that somebody asked for at the old address sets none for the new one."""
    client_id, headers = await _client(world)
    token = account_rules.new_link_token()
    await world.db.execute(
        """insert into password_reset_tokens (user_id, token_hash, expires_at)
           values ($1, $2, now() + interval '1 hour')""",
        client_id, account_rules.token_hash(token),
    )  # fmt: skip

    await _update(world, client_id, headers, user_email=f"{uuid4().hex}@example.test")
    answer = await world.call("POST", "/api/auth/reset-password", json={"token": token, "password": PASSWORD})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_TOKEN")


async def test_activation_opens_the_portal_once(world: World) -> None:
    """Only a client who has finished is activated, told by one mail; again, nothing changes."""
    headers = await admin(world)
    client_id, email = await create_client(world, headers, email=f"{uuid4().hex}@example.test", send_email=False)
    path = f"/api/hub/clients/{client_id}/activate"

    early = await world.call("POST", path, headers=headers)
    await world.db.execute("update client_profiles set onboarding_completed_at = now() where user_id = $1", client_id)
    answers = await asyncio.gather(*(world.call("POST", path, headers=headers) for _ in range(3)))
    staff = await world.call("POST", f"/api/hub/clients/{await world.user('team')}/activate", headers=headers)

    assert early.status_code == 400
    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].json()["client"]["activated_at"].endswith("Z")
    assert [mail["email_type"] for mail in await mails(world, email)] == ["account_activated"]
    assert staff.status_code == 400


async def test_services_are_saved_without_losing_history(world: World) -> None:
    """A service left out becomes inactive and keeps its row; names are merged whatever their case."""
    client_id, headers = await _client(world)
    path = f"/api/hub/admin/clients/{client_id}/services"

    first = await world.call(
        "PUT",
        path,
        json={"services": [{"name": "roof repair", "base_price": "1,200.50"}, {"name": "gutters", "base_price": "?"}]},
        headers=headers,
    )
    rows = {row["name"]: row for row in first.json()["services"]}
    assert rows["Roof Repair"]["base_price"] == "1200.50" and rows["Gutters"]["base_price"] is None
    second = await world.call(
        "PUT",
        path,
        json={"services": [{"id": rows["Gutters"]["id"], "name": "Gutter Cleaning"}, {"name": "GUTTER CLEANING"}]},
        headers=headers,
    )

    after = {row["name"]: row for row in second.json()["services"]}
    assert set(after) == {"Roof Repair", "Gutter Cleaning"}
    assert after["Gutter Cleaning"]["id"] == rows["Gutters"]["id"]
    assert (after["Roof Repair"]["active"], after["Gutter Cleaning"]["active"]) == (False, True)
    presets = await world.call(
        "POST",
        f"/api/hub/clients/{client_id}/service-presets",
        json={"services": ["roof repair", "siding", "Siding"]},
        headers=headers,
    )
    assert [row["name"] for row in presets.json()["created"]] == ["Siding"] and presets.json()["skipped"] == 2
    for body in ({}, {"services": "x"}, {"services": []}):
        wrong = await world.call("POST", f"/api/hub/clients/{client_id}/service-presets", json=body, headers=headers)
        assert wrong.status_code == 400 and "services" in wrong.json()["message"]
    assert (await world.call("GET", f"/api/hub/admin/clients/{uuid4()}/services", headers=headers)).status_code == 404
