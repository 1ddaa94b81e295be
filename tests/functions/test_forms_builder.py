"""The forms builder: from an empty form to what visitors see, and from a submission to paper."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pypdfium2
import pytest

from shared.areas.forms.service import payload_context
from shared.areas.forms.submissions import FOLDER, purge_batch
from tests.functions.conftest import World
from tests.functions.forms import ASKED, Staff, actions, staff
from tests.functions.portal import exists, run_tasks

SECRET = "Chronic rhinitis of Robin Roe"


@pytest.fixture
async def team(world: World) -> AsyncIterator[Staff]:
    yield await staff(world)


async def shown(world: World, form_id: str) -> httpx.Response:
    return await world.call("GET", f"/embed/{form_id}/json")


# --- forms ------------------------------------------------------------------------------------------------------------


async def test_a_new_form_works_as_it_is(team: Staff) -> None:
    """Version 1 is there and sends what visitors enter, the settings are the defaults, the number a number."""
    form = await team.create(form_type="conversion")

    assert form["status"] == "draft" and len(form["embed_token"]) == 64
    assert form["settings_json"]["email_on_submission"] is True
    assert form["settings_json"]["resume_token_ttl_hours"] == 72
    found = await team("GET", f"/{form['id']}")
    assert found["form"]["active_version_number"] == 1
    assert "data-anchor-form" in found["form"]["active_react_code"]
    assert [one["version_number"] for one in found["versions"]] == [1]
    listed = {one["id"]: one for one in (await team("GET", ""))["forms"]}
    assert listed[form["id"]]["submission_count"] == 0
    assert (await shown(team.world, form["id"])).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": " "},
        {"name": "a", "form_type": "quiz"},
        {"name": "a", "settings": {"email_recipients": ["nobody"]}},
        {"name": "a", "settings": {"domain_allowlist": ["a b"]}},
        {"name": "a", "settings": {"retention_days": 0}},
        {"name": "a", "client_id": str(uuid4())},
        {"name": "a", "schema": {"fields": [{"name": "x", "type": "emial"}]}},
        {"name": "a", "description": "\x00"},
    ],
)
async def test_what_cannot_be_a_form_is_named(team: Staff, body: dict[str, Any]) -> None:
    """Each is a 400 that says what is wrong, under both names that the dashboard reads."""
    told = await team("POST", "", 400, json=body)
    assert told["error"] == told["message"] and told["errors"]


async def test_a_refused_stranger_is_told_under_both_names(world: World) -> None:
    """Nobody, a client, and an id that is none: each refusal says ``error`` too."""
    client = await world.sign_in(await world.client())
    answers = [
        await world.call("GET", "/api/forms"),
        await world.call("GET", "/api/forms", headers=client),
        await world.call("GET", "/api/forms/nothing", headers=(await staff(world)).headers),
    ]
    assert [one.status_code for one in answers] == [401, 403, 404]
    assert all(one.json()["error"] == one.json()["message"] for one in answers)


async def test_the_references_schema_makes_a_form_drawn_from_its_fields(team: Staff) -> None:
    """``schema`` at creation is version 1 in react mode."""
    form = await team.create(schema={"fields": ASKED})
    version = (await team("GET", f"/{form['id']}"))["form"]
    assert version["active_schema"] == {"runtime_mode": "react", "fields": ASKED}


async def test_an_update_changes_what_is_sent_and_replaces_the_settings(team: Staff) -> None:
    """PUT and PATCH are one; unknown settings survive; nothing at all is a 400."""
    form = await team.create()
    await team("PUT", f"/{form['id']}", 400, json={})
    await team("PATCH", f"/{form['id']}", 400, json={"name": None})

    settings = {"domain_allowlist": ["shop.test"], "of_tomorrow": {"x": 1}}
    changed = (await team("PATCH", f"/{form['id']}", json={"name": "New", "settings_json": settings}))["form"]

    assert (changed["name"], changed["description"]) == ("New", None)
    assert changed["settings_json"]["domain_allowlist"] == ["shop.test"]
    assert changed["settings_json"]["of_tomorrow"] == {"x": 1}
    assert "form.updated" in await actions(team, form["id"])


async def test_a_setting_that_is_null_or_blank_is_none(team: Staff) -> None:
    """The dashboard sends back what the old server kept, also nulls: each is its default, and nothing is refused."""
    form = await team.create()
    for blank in (None, " "):
        settings = {**dict.fromkeys(form["settings_json"], blank), "old_key": blank}
        told = (await team("PATCH", f"/{form['id']}", json={"settings_json": settings}))["form"]
        assert told["settings_json"] == {**form["settings_json"], "old_key": blank}
    await team.save(form["id"], schema_json={"fields": None, "runtime_mode": "html"})


async def test_archived_forms_are_gone_for_visitors_until_they_are_restored(team: Staff) -> None:
    """Status published shows the newest version of a form never published; archiving hides, restoring shows."""
    form = await team.create()
    path = f"/{form['id']}"
    states = []
    for status in ("published", "archived", "published", "draft"):
        await team("PATCH", path, json={"status": status})
        states.append((await shown(team.world, form["id"])).status_code)
    assert states == [200, 404, 200, 404]


async def test_a_copy_has_the_content_and_none_of_the_submissions(team: Staff) -> None:
    """For another client it also leaves behind whom the first one notifies and where it is shown."""
    first, second = await team.world.client(), await team.world.client()
    settings = {"email_recipients": ["a@one.test"], "domain_allowlist": ["one.test"], "custom_thank_you_message": "Ta"}
    form = await team.create(client_id=str(first), settings=settings)
    await team.save(form["id"], "<form>2</form>")

    same = (await team("POST", f"/{form['id']}/duplicate", 201, json={}))["form"]
    other = (await team("POST", f"/{form['id']}/duplicate", 201, json={"client_id": str(second), "name": "B"}))["form"]

    assert (same["name"], same["client_id"], same["status"]) == ("Ask us (copy)", str(first), "draft")
    assert same["settings_json"]["email_recipients"] == ["a@one.test"]
    assert other["client_id"] == str(second) and other["embed_token"] != form["embed_token"]
    assert other["settings_json"]["email_recipients"] == [] and other["settings_json"]["domain_allowlist"] == []
    assert other["settings_json"]["custom_thank_you_message"] == "Ta"
    detail = (await team("GET", f"/{other['id']}"))["form"]
    assert (detail["active_react_code"], detail["active_version_number"]) == ("<form>2</form>", 1)


async def test_submissions_stay_with_their_client_and_health_data_stays_health_data(team: Staff) -> None:
    """A form with submissions is given to no other client and does not stop being an intake."""
    world, client = team.world, await team.world.client()
    form_id = await world.form(type="intake", client_id=client)
    await world.call("POST", f"/embed/{form_id}/submit", json={"payload": {"name": "x"}})

    for change in ({"client_id": str(await world.client())}, {"client_id": None}, {"form_type": "conversion"}):
        assert (await team("PATCH", f"/{form_id}", 409, json=change))["code"] == "HAS_SUBMISSIONS"


async def test_deleting_a_form_deletes_all_but_its_trail(team: Staff) -> None:
    """Versions, submissions and PDFs go, also from the bucket; the trail says who did it."""
    world = team.world
    form_id = await world.form()
    submission = await submitted(world, form_id)
    await team("POST", f"/{form_id}/submissions/{submission}/pdf")
    file_id = await world.db.fetchval("select file_id from form_pdf_artifacts where submission_id = $1", submission)

    await team("DELETE", f"/{form_id}")

    await run_tasks(world, "files_delete")
    assert not await exists(world, f"{FOLDER}/{file_id}")
    await team("GET", f"/{form_id}", 404)
    assert await world.db.fetchval("select count(*) from form_submissions where id = $1", submission) == 0
    assert (await actions(team, str(form_id)))[-1] == "form.deleted"


# --- whose forms ------------------------------------------------------------------------------------------------------


async def test_a_clients_forms_are_those_of_the_team_that_works_for_it(world: World) -> None:
    """Once a client has a workspace, its forms are there for its members and for admins, and for nobody else."""
    client, member, stranger, admin = (
        await world.client(),
        await staff(world),
        await staff(world),
        await staff(world, "admin"),
    )
    form = await member.create(client_id=str(client))
    submission = await submitted(world, await published(member, form["id"]))
    workspace = await world.db.fetchval("insert into task_workspaces (name) values ('w') returning id")
    await world.db.execute("update client_profiles set task_workspace_id = $2 where user_id = $1", client, workspace)
    await world.db.execute("insert into task_workspace_memberships values ($1, $2)", workspace, member.id)
    version = (await member("GET", f"/{form['id']}"))["form"]["active_version_id"]
    paths = [
        *("", "/versions", f"/versions/{version}", "/stats", "/audit-logs", "/submissions", "/submissions/export"),
        *(f"/submissions/{submission}", f"/submissions/{submission}/pdfs", "/preview"),
    ]

    for path in paths:
        await member("GET", f"/{form['id']}{path}")
        await admin("GET", f"/{form['id']}{path}")
        await stranger("GET", f"/{form['id']}{path}", 404)
    for method, path, body in (
        ("PATCH", "", {"name": "Mine"}),
        ("DELETE", "", None),
        ("POST", "/versions", {"react_code": "x"}),
        ("POST", f"/versions/{version}/publish", None),
        ("POST", "/duplicate", {}),
        ("POST", "/embed-token", None),
        ("POST", f"/submissions/{submission}/pdf", None),
        ("POST", "/ai-generate", {"description": "x"}),
    ):
        await stranger(method, f"/{form['id']}{path}", 404, **({"json": body} if body is not None else {}))
    assert form["id"] not in [one["id"] for one in (await stranger("GET", ""))["forms"]]
    assert [one["id"] for one in (await member("GET", f"?client_id={client}"))["forms"]] == [form["id"]]
    await stranger("POST", "", 400, json={"name": "a", "client_id": str(client)})


async def test_ids_of_another_form_are_not_there(team: Staff) -> None:
    """A version, a submission and a PDF answer only under the form they belong to."""
    world = team.world
    mine, other = await world.form(), await world.form()
    submission = await submitted(world, other)
    pdf = (await team("POST", f"/{other}/submissions/{submission}/pdf"))["artifact"]["id"]
    version = (await team("GET", f"/{other}"))["form"]["active_version_id"]

    await team("GET", f"/{mine}/versions/{version}", 404)
    await team("POST", f"/{mine}/versions/{version}/publish", 404)
    for path in ("", "/print", "/pdfs", f"/pdf/{pdf}"):
        await team("GET", f"/{mine}/submissions/{submission}{path}", 404)
    await team("GET", f"/{mine}/submissions/nothing", 404)


async def test_a_clients_forms_go_with_the_client(world: World) -> None:
    """Deleting the client deletes its forms and submissions; the PDFs' files are swept."""
    admin, client = await staff(world, "superadmin"), await world.client()
    form = await admin.create(client_id=str(client))
    submission = await submitted(world, await published(admin, form["id"]))
    await admin("POST", f"/{form['id']}/submissions/{submission}/pdf")
    file_id = await world.db.fetchval("select file_id from form_pdf_artifacts where submission_id = $1", submission)

    answer = await world.call("DELETE", f"/api/hub/clients/{client}", headers=admin.headers)
    assert answer.status_code == 200, answer.text
    await world.run_schedule("files_sweep")
    await run_tasks(world, "files_delete")

    await admin("GET", f"/{form['id']}", 404)
    assert not await exists(world, f"{FOLDER}/{file_id}")


async def test_the_session_cookie_opens_links_and_the_preview(world: World) -> None:
    """Print, download and compile come without a bearer: the first-party cookie is enough, from our own pages only."""
    team = await staff(world)
    form_id = await world.form(fields=ASKED)
    token = team.headers["Authorization"].removeprefix("Bearer ")
    cookie = {"Cookie": f"session={token}"}
    ours = {**cookie, "Origin": world.services.settings.app_base_url}
    foreign = {**cookie, "Origin": "https://evil.test"}

    pages = [
        await world.call("GET", f"/api/forms/{form_id}/pdf", headers=cookie),
        await world.call("POST", "/api/forms/preview/compile", headers=ours, json={"react_code": "1"}),
        await world.call("POST", "/api/forms/preview/compile", headers=foreign, json={"react_code": "1"}),
    ]
    assert [one.status_code for one in pages] == [200, 200, 401]


# --- versions ---------------------------------------------------------------------------------------------------------


async def published(team: Staff, form_id: str) -> str:
    version = (await team("GET", f"/{form_id}"))["form"]["active_version_id"]
    await team.publish(form_id, version)
    return form_id


async def test_visitors_see_what_was_published_not_what_was_saved(team: Staff) -> None:
    """Saving is for the editor; publishing, also of an older version, is for everybody, in one commit."""
    form = await team.create()
    first = await team.save(form["id"], "<form>one</form>")
    told = await team.publish(form["id"], first["id"])
    assert told["status"] == "published" and told["version"]["published_at"]

    second = await team.save(form["id"], "<form>two</form>")
    assert (await team("GET", f"/{form['id']}"))["form"]["active_version_id"] == second["id"]
    assert (await shown(team.world, form["id"])).json()["react_code"] == "<form>one</form>"

    await team.publish(form["id"], second["id"])
    assert (await shown(team.world, form["id"])).json()["react_code"] == "<form>two</form>"
    await team.publish(form["id"], first["id"])
    assert (await shown(team.world, form["id"])).json()["react_code"] == "<form>one</form>"
    assert (await actions(team, form["id"])).count("form.published") == 3


async def test_two_editors_at_once_get_two_numbers_and_are_told_of_each_other(team: Staff) -> None:
    """Saves at the same time never collide; who says what they began from hears that somebody saved since."""
    form = await team.create()
    began = (await team("GET", f"/{form['id']}"))["form"]["active_version_id"]

    numbers = await asyncio.gather(*(team.save(form["id"]) for _ in range(4)))
    assert sorted(one["version_number"] for one in numbers) == [2, 3, 4, 5]

    stale = {"react_code": "<form></form>", "base_version_id": began}
    told = await team("POST", f"/{form['id']}/versions", 409, json=stale)
    assert told["code"] == "VERSION_CONFLICT" and told["active_version_id"] != began
    await team.save(form["id"], base_version_id=told["active_version_id"])


async def test_a_definition_that_visitors_would_not_get_is_refused(team: Staff) -> None:
    """Each mistake is named; nothing is kept."""
    form = await team.create()
    schema = {
        "fields": [
            {"name": "a", "type": "emial"},
            {"name": "b", "validation": {"pattern": "(?=x)"}},
            {"name": "c", "show_if": {"field": "z", "value": 1}},
            {"name": "c"},
        ],
    }
    body = {"react_code": "<form></form>", "schema_json": schema}
    told = await team("POST", f"/{form['id']}/versions", 400, json=body)
    assert told["code"] == "DEFINITION_INVALID"
    body["schema_json"] = {"fields": schema["fields"][:3]}
    told = await team("POST", f"/{form['id']}/versions", 400, json=body)
    assert {one["field"] for one in told["errors"]} == {"a", "b", "c"}
    assert len((await team("GET", f"/{form['id']}/versions"))["versions"]) == 1


async def test_what_the_old_server_kept_can_be_worked_on(team: Staff) -> None:
    """A mistake that the newest version has already is a warning; a new one is refused."""
    old = [{"name": "a", "type": "wizard"}]
    form_id = str(await team.world.form(fields=old))
    body = {"react_code": "<form></form>", "schema_json": {"fields": old}}
    told = await team("POST", f"/{form_id}/versions", 201, json=body)
    assert [one["field"] for one in told["warnings"]] == ["a"]
    assert [one["field"] for one in (await team.publish(form_id, told["version"]["id"]))["warnings"]] == ["a"]
    body["schema_json"] = {"fields": [*old, {"name": "b", "type": "wizard"}]}
    told = await team("POST", f"/{form_id}/versions", 400, json=body)
    assert [one["field"] for one in told["errors"]] == ["b"]


async def test_warnings_say_what_would_surprise(team: Staff) -> None:
    """No <form> to send, and a question on health in a form that is no intake."""
    form = await team.create()
    body = {"react_code": "<p>Hi</p>", "schema_json": {"fields": ASKED, "runtime_mode": "html"}}
    told = await team("POST", f"/{form['id']}/versions", 201, json=body)
    assert [one["field"] for one in told["warnings"]] == ["react_code", "diagnosis"]


async def test_a_preview_shows_any_version_in_an_origin_of_its_own(team: Staff) -> None:
    """The page of a version that is not published, with its script inside, sandboxed, and without a page token."""
    form = await team.create()
    await team.save(form["id"], "<form>two</form>")
    page = await team("GET", f"/{form['id']}/preview")
    assert "<form>two</form>" in page.text and '"preview": true' in page.text and '"page_token": ""' in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts") and "allow-same-origin" not in policy


async def test_the_embed_token_opens_the_data_and_can_be_renewed(team: Staff) -> None:
    """With an allow-list the data is for its sites and for the token; the old token ends with the renewal."""
    form = await team.create(settings={"domain_allowlist": ["shop.test"]})
    await published(team, form["id"])
    renewed = (await team("POST", f"/{form['id']}/embed-token"))["form"]["embed_token"]
    codes = [
        (await team.world.call("GET", f"/embed/{form['id']}/json?token={token}")).status_code
        for token in ("", form["embed_token"], renewed)
    ]
    assert codes == [403, 403, 200]


async def test_jsx_is_compiled_for_the_preview(team: Staff) -> None:
    """A component becomes FormComponent without imports; a mistake is a 400 with a detail; nothing stays nothing."""
    code = "import React from 'react';\nexport default function Mine() { return <b>{1 ?? 2}</b>; }"
    compiled = (await team("POST", "/preview/compile", json={"react_code": code}))["code"]
    assert "React.createElement" in compiled and "import" not in compiled and "export" not in compiled
    assert compiled.startswith("const FormComponent = ") and "return Mine;" in compiled
    told = await team("POST", "/preview/compile", 400, json={"react_code": "const a = <b>"})
    assert told["error"] and told["detail"].startswith("Line 1")
    assert (await team("POST", "/preview/compile", json={"react_code": ""}))["code"] == ""


# --- submissions ------------------------------------------------------------------------------------------------------


async def submitted(world: World, form_id: object, **answers: Any) -> UUID:
    payload = answers or {"name": "Robin", "diagnosis": "none"}
    told = {"landing_page": "https://shop.test/a?q=1", "utms": {"utm_source": "=cmd()"}}
    answer = await world.call("POST", f"/embed/{form_id}/submit", json={"payload": payload, "attribution": told})
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["submission_id"])


async def test_submissions_are_listed_without_a_word_of_their_answers(team: Staff) -> None:
    """Newest first, a page at a time, with the total; a bad page is a 400."""
    form_id = await team.world.form(fields=ASKED)
    ids = [str(await submitted(team.world, form_id, name=SECRET)) for _ in range(3)]

    told = await team("GET", f"/{form_id}/submissions?limit=2&offset=1")

    assert told["total"] == 3
    assert [one["id"] for one in told["submissions"]] == ids[1::-1]
    assert SECRET not in json.dumps(told) and told["submissions"][0]["version_number"] == 1
    await team("GET", f"/{form_id}/submissions?limit=-1", 400)


async def test_health_data_is_shown_to_one_person_and_the_trail_says_to_whom(
    team: Staff, capsys: pytest.CaptureFixture[str]
) -> None:
    """An intake's answers are decrypted for the detail alone; neither the bytes nor the answers are anywhere else."""
    form_id = await team.world.form(type="intake", fields=ASKED)
    submission = await submitted(team.world, form_id, name="Robin", diagnosis=SECRET)
    capsys.readouterr()

    told = (await team("GET", f"/{form_id}/submissions/{submission}"))["submission"]

    assert told["payload"]["diagnosis"] == SECRET
    assert told["non_phi_payload"] is None and "encrypted_payload" not in told
    assert {one["job_type"] for one in told["jobs"]} == {"classification", "ctm_conversion", "email_notification"}
    logs = (await team("GET", f"/{form_id}/audit-logs"))["logs"]
    [viewed] = [one for one in logs if one["action"] == "submission.viewed"]
    assert (viewed["actor_id"], viewed["entity_id"]) == (str(team.id), str(submission))
    assert viewed["email"] and SECRET not in json.dumps(logs)
    assert SECRET not in capsys.readouterr().out


async def test_answers_that_were_a_list_are_shown(team: Staff) -> None:
    """The old server took lists of answers, also of health data: none of them is lost to whoever looks."""
    form_id = await team.world.form(type="intake")
    submission = await submitted(team.world, form_id)
    ring = await team.world.services.key_ring()
    box = ring.seal(b'["Robin", 7]', context=payload_context(submission))
    await team.world.db.execute(
        "update form_submissions set encrypted_payload = $2, encryption_key_id = $3 where id = $1",
        submission, box.data, box.key_id,
    )  # fmt: skip
    shown = (await team("GET", f"/{form_id}/submissions/{submission}"))["submission"]
    assert shown["payload"] == {"1": "Robin", "2": 7}


async def test_the_export_runs_nothing_and_streams_everything(team: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every submission is there over several batches; no cell begins a formula; other answers come along."""
    monkeypatch.setattr("shared.areas.forms.submissions._BATCH", 2)
    form_id = await team.world.form(fields=ASKED)
    for at in range(5):
        await submitted(team.world, form_id, name=f"=HYPERLINK({at})", extra="+1")

    answer = await team("GET", f"/{form_id}/submissions/export")

    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == [f"'=HYPERLINK({at})" for at in (4, 3, 2, 1, 0)]
    assert {row["utm_source"] for row in rows} == {"'=cmd()"} and {row["other_answers"] for row in rows} == {
        "extra: +1"
    }
    assert not any(value[:1] in ("=", "+", "-", "@") for row in rows for value in row.values())
    assert "submissions.exported" in await actions(team, str(form_id))


async def test_only_an_admin_exports_health_data_and_only_when_asked(team: Staff) -> None:
    """An intake's export holds no answers by itself; asked for, they are an admin's."""
    form_id = await team.world.form(type="intake", fields=ASKED)
    await submitted(team.world, form_id, name="Robin", diagnosis=SECRET)
    admin = await staff(team.world, "admin")

    assert SECRET not in (await team("GET", f"/{form_id}/submissions/export")).text
    assert SECRET not in (await admin("GET", f"/{form_id}/submissions/export")).text
    await team("GET", f"/{form_id}/submissions/export?answers=true", 403)
    assert SECRET in (await admin("GET", f"/{form_id}/submissions/export?answers=true")).text


async def test_a_print_page_holds_answers_as_text_only(team: Staff) -> None:
    """Placeholders between tags are filled, escaped, under a strict policy; without a template, a text says so."""
    form = await team.create()
    printable = {"html": '<p title="{{name}}">{{ name }}</p><p>{{none}}</p>', "css": "p{}", "js": "let a = 1"}
    version = await team.save(form["id"], schema_json={"fields": ASKED, "printable": printable})
    await team.publish(form["id"], version["id"])
    submission = await submitted(team.world, form["id"], name='</p><script>alert(1)</script>"{{diagnosis}}')

    page = await team("GET", f"/{form['id']}/submissions/{submission}/print?autoprint=1")

    assert "&lt;script&gt;alert(1)" in page.text and "<script>alert" not in page.text
    assert '<p title="{{name}}">' in page.text and "window.print()" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "submission.printed" in await actions(team, form["id"])
    without = await team.world.form()
    answer = await team("GET", f"/{without}/submissions/{await submitted(team.world, without)}/print", 400)
    assert answer.headers["content-type"].startswith("text/plain")


async def test_a_pdf_is_kept_sealed_and_given_to_whoever_may_read_it(team: Staff) -> None:
    """Drawn with the answers, unreadable in the bucket, downloaded as a PDF; each step is in the trail."""
    world = team.world
    form_id = await world.form(type="intake", fields=ASKED)
    submission = await submitted(world, form_id, name="Robin", diagnosis=SECRET)
    path = f"/{form_id}/submissions/{submission}"

    made = (await team("POST", f"{path}/pdf"))["artifact"]
    listed = (await team("GET", f"{path}/pdfs"))["pdfs"]
    answer = await team("GET", f"{path}/pdf/{made['id']}")

    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment")
    pdf = pypdfium2.PdfDocument(answer.content)
    words = pdf[0].get_textpage()
    text = words.get_text_range()
    words.close(), pdf.close()
    assert SECRET in text and "Protected health information" in text
    assert (listed[0]["id"], listed[0]["checksum"]) == (made["id"], made["checksum"])
    assert listed[0]["file_size_bytes"] == len(answer.content)
    file_id = await world.db.fetchval("select file_id from form_pdf_artifacts where id = $1", UUID(made["id"]))
    stream = await world.services.storage.open(f"{FOLDER}/{file_id}")
    assert stream is not None and b"%PDF" not in await stream.read()
    assert (await world.call("GET", f"/uploads/{file_id}/a.pdf", headers=team.headers)).status_code == 404
    assert (await actions(team, str(form_id)))[-2:] == ["pdf.generated", "pdf.downloaded"]


async def test_a_blank_form_can_be_printed(team: Staff) -> None:
    """The fields on paper; a version that lists none says so."""
    form_id = await team.world.form(fields=ASKED)
    answer = await team("GET", f"/{form_id}/pdf")
    assert answer.content.startswith(b"%PDF")
    assert (await team("GET", f"/{await team.world.form()}/pdf", 400))["code"] == "NO_FIELDS"


async def test_deleting_a_submission_is_an_admins_and_takes_its_pdfs(team: Staff) -> None:
    """Row and object are gone; the team is refused."""
    world, admin = team.world, await staff(team.world, "admin")
    form_id = await world.form()
    submission = await submitted(world, form_id)
    await team("POST", f"/{form_id}/submissions/{submission}/pdf")
    file_id = await world.db.fetchval("select file_id from form_pdf_artifacts where submission_id = $1", submission)

    await team("DELETE", f"/{form_id}/submissions/{submission}", 403)
    await admin("DELETE", f"/{form_id}/submissions/{submission}")

    await run_tasks(world, "files_delete")
    assert not await exists(world, f"{FOLDER}/{file_id}")
    await admin("GET", f"/{form_id}/submissions/{submission}", 404)
    assert (await actions(team, str(form_id)))[-1] == "submission.deleted"


async def test_what_has_outlived_its_retention_is_purged(team: Staff) -> None:
    """Submissions past their form's days go, younger ones and other forms' stay; PDFs go after ninety days."""
    world = team.world
    keeps, forgets = await world.form(), await world.form(retention_days=30)
    old = {form_id: await submitted(world, form_id) for form_id in (keeps, forgets)}
    young = await submitted(world, forgets)
    await team("POST", f"/{keeps}/submissions/{old[keeps]}/pdf")
    await world.db.execute(
        "update form_submissions set created_at = now() - interval '31 days' where id = any($1)", list(old.values())
    )
    await world.db.execute(
        "update form_pdf_artifacts set generated_at = now() - interval '91 days' where submission_id = $1", old[keeps]
    )

    assert (await world.run_schedule("forms_purge")).status_code == 204

    left = await world.db.fetch("select id from form_submissions where form_id = any($1)", [keeps, forgets])
    assert {row["id"] for row in left} == {old[keeps], young}
    assert (await team("GET", f"/{keeps}/submissions/{old[keeps]}/pdfs"))["pdfs"] == []
    assert "submissions.purged" in await actions(team, str(forgets))


async def test_two_purges_at_once_share_the_work(team: Staff) -> None:
    """What one run is deleting is not the other's: neither waits, and the trail counts each submission once."""
    world = team.world
    form_id = await world.form(retention_days=30)
    for _ in range(3):
        await submitted(world, form_id)
    await world.db.execute(
        "update form_submissions set created_at = now() - interval '31 days' where form_id = $1", form_id
    )
    async with asyncio.timeout(10), world.db.transaction() as one, world.db.transaction() as two:
        for tx in (one, two):
            await purge_batch(tx)
    counts = await world.db.fetch(
        """select metadata_json -> 'count' as count from form_audit_logs
           where action = 'submissions.purged' and entity_id = $1""",
        form_id,
    )
    assert [row["count"] for row in counts] == [3]
    assert not await world.db.fetchval("select count(*) from form_submissions where form_id = $1", form_id)


# --- how often --------------------------------------------------------------------------------------------------------


async def test_views_starts_and_completions_are_counted(team: Staff) -> None:
    """A page shown, a first letter, a submission; a start without a page counts nothing."""
    import html
    import re

    form_id = await team.world.form(fields=ASKED)
    page = await team.world.call("GET", f"/embed/form/{form_id}")
    found = re.search(r'"page_token": "([^"]+)"', html.unescape(page.text))
    assert found
    started = await team.world.call("POST", f"/embed/{form_id}/start", content=json.dumps({"page_token": found[1]}))
    forged = await team.world.call("POST", f"/embed/{form_id}/start", json={"page_token": "x.y"})
    await submitted(team.world, form_id)

    told = await team("GET", f"/{form_id}/stats?days=2")

    assert (started.status_code, forged.status_code) == (204, 403)
    assert (told["views"], told["starts"], told["completions"], told["completion_rate"]) == (1, 1, 1, 1)
    assert [day["views"] for day in told["days"]] == [0, 1]
