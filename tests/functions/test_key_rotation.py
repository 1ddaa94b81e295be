"""Key rotation: old values stay readable, and move to the new key."""

from __future__ import annotations

import base64
import json
from uuid import UUID

import pytest

from shared.crypto import KeyRing, Sealed, column_context
from tests.functions.conftest import SECRETS, World
from tests.functions.forms import submit, token_for
from tests.functions.test_forms import ASKED


async def test_values_of_an_old_key_move_to_the_new_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a rotation everything sealed opens as before, and the job leaves nothing that needs the old key."""
    client_id = await world.client(ctm=True)
    secret = world.ctm.accounts[str(client_id.int % 10**9)].secret
    form_id = await world.form(type="intake", fields=[*ASKED, {"name": "scan", "type": "file"}])
    submission_id = UUID((await submit(world, form_id)).json()["submission_id"])
    page = {"page_token": await token_for(world, form_id), "field": "scan"}
    scan = {"file": ("scan.pdf", b"%PDF-1.7", "application/pdf")}
    file_id = UUID((await world.call("POST", f"/embed/{form_id}/files", data=page, files=scan)).json()["file_id"])

    totp = column_context("user_mfa_settings", "totp_secret_encrypted", client_id)
    await world.db.execute(
        "insert into user_mfa_settings (user_id, totp_secret_encrypted) values ($1, $2)",
        client_id,
        KeyRing.parse(SECRETS["ENCRYPTION_KEYS"]).seal_text("an app's secret", context=totp),
    )

    ring = json.loads(SECRETS["ENCRYPTION_KEYS"])
    ring["keys"]["t2"] = base64.b64encode(b"n" * 32).decode()
    rotated = json.dumps({"current": "t2", "keys": ring["keys"]})
    monkeypatch.setitem(SECRETS, "ENCRYPTION_KEYS", rotated)
    assert (await world.run_schedule("jobs_reseal_old_keys")).status_code == 204

    only_new = KeyRing.parse(json.dumps({"current": "t2", "keys": {"t2": ring["keys"]["t2"]}}))
    profile = await world.db.fetchrow("select * from client_profiles where user_id = $1", client_id)
    row = await world.db.fetchrow("select * from form_submissions where id = $1", submission_id)
    context = column_context("client_profiles", "ctm_api_secret", client_id)
    assert only_new.open_text(profile["ctm_api_secret"], context=context) == secret
    box = Sealed(row["encryption_key_id"], row["encrypted_payload"])
    context = column_context("form_submissions", "encrypted_payload", submission_id)
    assert json.loads(only_new.open(box, context=context))["name"] == "Robin Roe"
    file = await world.db.fetchrow("select * from form_submission_files where id = $1", file_id)
    context = column_context("form_submission_files", "sealed_key", file_id)
    assert only_new.open(Sealed(file["encryption_key_id"], file["sealed_key"]), context=context).endswith(b"scan.pdf")
    app = await world.db.fetchval("select totp_secret_encrypted from user_mfa_settings where user_id = $1", client_id)
    assert only_new.open_text(app, context=totp) == "an app's secret"
    left = "select count(*) from client_profiles where ctm_credentials_key_id = 't1' and user_id = $1"
    assert not await world.db.fetchval(left, client_id)

    monkeypatch.undo()
    world.services._key_ring = None


async def test_a_damaged_value_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be opened stays as it is and is told of; everything else moves to the new key."""
    broken, whole = sorted([await world.client(ctm=True), await world.client(ctm=True)])
    await world.db.execute(
        "update client_profiles set ctm_api_secret = 'enc:1:t1:' || repeat('A', 60) where user_id = $1", broken
    )
    ring = json.loads(SECRETS["ENCRYPTION_KEYS"])
    ring["keys"]["t2"] = base64.b64encode(b"n" * 32).decode()
    monkeypatch.setitem(SECRETS, "ENCRYPTION_KEYS", json.dumps({"current": "t2", "keys": ring["keys"]}))

    assert (await world.run_schedule("jobs_reseal_old_keys")).status_code == 204

    keys = await world.db.fetch(
        "select ctm_credentials_key_id from client_profiles where user_id = any($1) order by user_id", [broken, whole]
    )
    assert [row[0] for row in keys] == ["t1", "t2"]
    await world.db.execute("update client_profiles set ctm_api_secret = null where user_id = $1", broken)
    monkeypatch.undo()
    world.services._key_ring = None


async def test_a_key_that_is_not_known_yet_is_read_and_the_call_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instance that meets a value sealed with a newer key answers 503 once, and knows the key the next time."""
    form_id = await world.form(fields=ASKED, save_and_resume_enabled=True)
    ring = json.loads(SECRETS["ENCRYPTION_KEYS"])
    ring["keys"]["t3"] = base64.b64encode(b"m" * 32).decode()
    rotated = json.dumps({"current": "t3", "keys": ring["keys"]})
    world.services._key_ring = KeyRing.parse(rotated)
    saved = await world.call("POST", f"/embed/{form_id}/draft/save", json={"partial_payload": {"name": "A"}})
    token = {"resume_token": saved.json()["resume_token"]}
    world.services._key_ring = KeyRing.parse(SECRETS["ENCRYPTION_KEYS"])
    monkeypatch.setitem(SECRETS, "ENCRYPTION_KEYS", rotated)

    first = await world.call("POST", f"/embed/{form_id}/draft/resume", json=token)
    second = await world.call("POST", f"/embed/{form_id}/draft/resume", json=token)

    assert (first.status_code, second.status_code) == (503, 200)
    monkeypatch.undo()
    world.services._key_ring = None
