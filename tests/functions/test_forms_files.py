"""Files that visitors send with a form: from the page to the member of staff who saves them."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from emulators.vertex_answers import png
from shared.areas.forms import rules, service
from shared.areas.forms.attachments import FOLDER
from shared.errors import TryLater
from shared.gcp.storage import Storage
from tests.functions.conftest import World
from tests.functions.forms import Staff, actions, process, staff, submit, token_for
from tests.functions.portal import exists, run_tasks

PHOTO = ("Hautausschlag Röe.png", png("a roof"), "image/png")
PDF = ("plan.pdf", b"%PDF-1.7\n%%EOF\n", "application/pdf")
ASKED: list[dict[str, Any]] = [
    {"name": "name", "label": "Name"},
    {"name": "photo", "type": "file", "label": "Photo", "accept": "image/*, .pdf", "max_size_mb": 1},
    {"name": "plans", "type": "file", "label": "Plans", "multiple": True, "accept": "*/*", "max_size_mb": 99},
    {"name": "small", "type": "file", "max_size_mb": 0.05},
]


async def send(world: World, form_id: UUID, file: Any = PHOTO, *, field: str = "photo", **given: Any) -> Any:
    token = given.pop("token", None) or await token_for(world, form_id, **given)
    body = {"page_token": token, "field": field}
    return await world.call("POST", f"/embed/{form_id}/files", data=body, files={"file": file})


async def sent(world: World, form_id: UUID, file: Any = PHOTO, **given: Any) -> str:
    answer = await send(world, form_id, file, **given)
    assert answer.status_code == 201, answer.text
    told: str = answer.json()["file_id"]
    return told


async def held(world: World, form_id: UUID) -> list[Any]:
    return await world.db.fetch("select * from form_submission_files where form_id = $1 order by created_at", form_id)


@pytest.mark.parametrize("kind", ["conversion", "intake"])
async def test_a_file_arrives_with_its_submission(world: World, kind: str) -> None:
    """Staff read its name and where it is among the answers, and save it as it was; whoever does is in the trail."""
    team, form_id = await staff(world), await world.form(type=kind, fields=ASKED, email_recipients=["a@client.test"])
    taken = (await send(world, form_id)).json()
    plans = [await sent(world, form_id, PDF, field="plans") for _ in range(2)]
    assert (taken["name"], taken["size"]) == (PHOTO[0], len(PHOTO[1]))

    accepted = await submit(world, form_id, {"name": "Roe", "photo": taken["file_id"], "plans": plans})

    assert accepted.status_code == 201, accepted.text
    submission = accepted.json()["submission_id"]
    path = f"/{form_id}/submissions/{submission}"
    shown = await team("GET", path)
    shown = shown.get("submission", shown)
    photo = next(one for one in shown["files"] if one["field"] == "photo")
    assert shown["payload"]["photo"] == f"{PHOTO[0]} (http://localhost:8080{photo['url']})"
    assert [text.split(" ")[0] for text in shown["payload"]["plans"]] == ["plan.pdf", "plan.pdf"]
    assert (photo["name"], photo["content_type"], photo["size"]) == (PHOTO[0], "image/png", len(PHOTO[1]))
    saved = await world.call("GET", photo["url"], headers=team.headers)
    assert saved.content == PHOTO[1]
    assert saved.headers["content-disposition"].startswith("attachment; filename*=UTF-8''Hautausschlag%20R")
    assert saved.headers["x-content-type-options"] == "nosniff" and saved.headers["cache-control"] == "no-store"
    assert (await actions(team, str(form_id)))[-1] == "file.downloaded"


async def test_neither_content_nor_name_lies_open(world: World) -> None:
    """In the bucket and in the rows both are encrypted; the address of kept files does not give it out."""
    team, form_id = await staff(world), await world.form(type="intake", fields=ASKED)
    accepted = await submit(world, form_id, {"photo": [await sent(world, form_id)]})
    assert accepted.status_code == 201, accepted.text

    [row] = await held(world, form_id)

    stream = await world.services.storage.open(f"{FOLDER}/{row['file_id']}")
    assert stream is not None
    stored = await stream.read()
    assert PHOTO[1] not in stored and PHOTO[1][:8] not in stored
    rows = await world.db.fetch(
        """select to_jsonb(f)::text as text from stored_files f where id = $1
           union all select to_jsonb(s)::text from form_submissions s where form_id = $2
           union all select to_jsonb(a)::text from form_submission_files a where form_id = $2""",
        row["file_id"], form_id,
    )  # fmt: skip
    assert len(rows) == 3 and not any("Hautausschlag" in one["text"] for one in rows)
    address = f"/uploads/{row['file_id']}/photo.png"
    assert (await world.call("GET", address, headers=team.headers)).status_code == 404


async def test_a_mail_tells_of_the_file_and_ctm_does_not(world: World) -> None:
    """The recipients of a conversion read its name with its address; what leaves for vendors has neither."""
    address = f"{uuid4().hex}@client.test"
    client = await world.client(ctm=True)
    form_id = await world.form(
        fields=[*ASKED, {"name": "phone", "type": "phone"}], client_id=client, email_recipients=[address],
        ctm_enabled=True, ctm_conversion_action_id=f"FRT-{client.int % 10**9}",
    )  # fmt: skip
    answers = {"name": "Roe", "phone": "+15555550123", "photo": await sent(world, form_id)}
    submission = (await submit(world, form_id, answers)).json()["submission_id"]
    await process(world, submission)
    await run_tasks(world, "emails_send")

    [mail] = [mail for mail in world.mailgun.mails if address in mail.recipients]
    assert PHOTO[0] in mail.text and f"/api/forms/{form_id}/submissions/{submission}/files/" in mail.text
    [record] = world.ctm.accounts[str(client.int % 10**9)].calls
    told = f"{world.vertex.prompts()} {record}"
    assert "Hautausschlag" not in told and "/files/" not in told


@pytest.mark.parametrize(
    ("file", "field", "status", "says"),
    [
        (("photo.svg", b"<svg></svg>", "image/svg+xml"), "photo", 400, "takes files of the types"),
        (("page.html", b"<p>", "text/html"), "plans", 400, "takes files of the types"),
        (("table.csv", b"a,b", "text/csv"), "photo", 400, "takes files of the types"),
        (("photo.png", b"MZ\x90 no picture", "image/png"), "photo", 400, "other content"),
        (("photo.png", png("a roof") + b"0" * (1 << 20), "image/png"), "photo", 413, "at most 1 MB"),
        (("plan.pdf", b"%PDF-" + b"0" * (10 << 20), "application/pdf"), "plans", 413, "at most 10 MB"),
        (("plan.pdf", b"%PDF-" + b"0" * (12 << 20), "application/pdf"), "plans", 413, "larger than"),
        (("photo.png", b"", "image/png"), "photo", 400, "empty"),
        (("photo.png", png("a roof") + b"0" * 52_430, "image/png"), "small", 413, "at most 0.05 MB"),
        (PHOTO, "name", 400, "another way"),
        (PHOTO, "nothing", 400, "another way"),
    ],
)
async def test_what_cannot_be_taken_is_refused(world: World, file: Any, field: str, status: int, says: str) -> None:
    """By type, content, size and question; the answer says why, and nothing is kept."""
    form_id = await world.form(fields=ASKED)
    answer = await send(world, form_id, file, field=field)
    assert (answer.status_code, says in answer.text) == (status, True), answer.text
    assert await held(world, form_id) == []


async def test_only_a_page_of_the_form_may_send(world: World) -> None:
    """Forged, of another form, of a site not allowed, too old; a part left out; a form that is not published."""
    form_id = await world.form(fields=ASKED, domain_allowlist=["shop.test"])
    other, draft = await world.form(fields=ASKED), await world.form(fields=ASKED, status="draft")
    site = "https://shop.test"
    cases = [
        (form_id, {"token": "forged.token"}, 403),
        (form_id, {"token": await token_for(world, other)}, 403),
        (form_id, {"origin": "https://evil.test"}, 403),
        (form_id, {"origin": site, "age_s": 5 * 3600}, 400),
        (draft, {}, 404),
        (form_id, {"origin": site}, 201),
    ]
    for form, given, status in cases:
        assert (await send(world, form, **given)).status_code == status, given
    for body, files, name in (
        ({"field": "photo"}, {"file": PHOTO}, "page_token"),
        ({"page_token": await token_for(world, form_id, origin=site)}, {"file": PHOTO}, "field"),
        ({"page_token": await token_for(world, form_id, origin=site), "field": "photo"}, {"other": PHOTO}, "other"),
    ):
        answer = await world.call("POST", f"/embed/{form_id}/files", data=body, files=files)
        assert (answer.status_code, name in answer.text) == (400, True), answer.text
    none = {"page_token": (None, await token_for(world, form_id, origin=site)), "field": (None, "photo")}
    assert (await world.call("POST", f"/embed/{form_id}/files", files=none)).status_code == 400
    assert len(await held(world, form_id)) == 1


async def test_answers_name_only_files_that_were_sent_for_them(world: World) -> None:
    """Another form's, another question's, nobody's, and one that a submission has already: refused, nothing stored."""
    form_id, other = await world.form(fields=ASKED), await world.form(fields=ASKED)
    used = await sent(world, form_id)
    assert (await submit(world, form_id, {"photo": used})).status_code == 201
    plan = await sent(world, form_id, PDF, field="plans")
    wrong = [
        *(await sent(world, other), plan, str(uuid4()), used),
        *("photo.png", 7, {"id": used}, [used, str(uuid4())], [[used]]),
    ]
    for answer in wrong:
        refused = await submit(world, form_id, {"photo": answer})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "photo"), (answer, refused.text)
    both = await submit(world, form_id, {"photo": plan, "plans": [plan]})
    assert [one["field"] for one in both.json()["errors"]] == ["photo"]
    many = await submit(world, form_id, {"plans": [str(uuid4()) for _ in range(rules.MAX_FILES + 1)]})
    assert (many.status_code, "at most 10" in many.text) == (400, True)
    assert await world.db.fetchval("select count(*) from form_submissions where form_id = $1", form_id) == 1
    assert (await submit(world, form_id, {"photo": "", "plans": []})).status_code == 201


async def test_a_required_file_is_required(world: World) -> None:
    """As any other answer."""
    form_id = await world.form(fields=[{"name": "photo", "type": "file", "required": True}])
    assert (await submit(world, form_id, {})).json()["errors"][0]["field"] == "photo"
    assert (await submit(world, form_id, {"photo": await sent(world, form_id)})).status_code == 201


async def test_while_the_bucket_is_down_nothing_is_half_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The visitor is told to try again, no row names a file that is not there, and what was announced is swept."""
    form_id = await world.form(fields=ASKED)

    async def refuse(*_: object, **__: object) -> None:
        raise TryLater("storage", status=503)

    with monkeypatch.context() as down:
        down.setattr(Storage, "put", refuse)
        answer = await send(world, form_id)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert await held(world, form_id) == []
    announced = "select id from stored_files where folder = $1 and attached_at is null order by created_at desc limit 1"
    left = await world.db.fetchval(announced, FOLDER)
    await world.db.execute("update stored_files set created_at = now() - interval '2 h' where id = $1", left)
    await world.run_schedule("files_sweep")
    assert not await world.db.fetchval("select exists (select from stored_files where id = $1)", left)
    assert (await submit(world, form_id, {"photo": await sent(world, form_id)})).status_code == 201


async def test_a_form_that_is_deleted_meanwhile_takes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at it and the row that belongs to it, of a file and of a submission: a 409, and nothing left."""
    form_id, other = await world.form(fields=ASKED), await world.form(fields=ASKED)
    put, accept = Storage.put, service.accept

    async def put_too_late(*given: Any, **named: Any) -> None:
        await put(*given, **named)
        await world.db.execute("delete from forms where id = $1", form_id)

    async def accept_too_late(*given: Any, **named: Any) -> Any:
        await world.db.execute("delete from forms where id = $1", other)
        return await accept(*given, **named)

    monkeypatch.setattr(Storage, "put", put_too_late)
    monkeypatch.setattr(service, "accept", accept_too_late)
    answers = [await send(world, form_id), await submit(world, other, {"name": "Roe"})]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "DELETED_MEANWHILE")] * 2
    assert await held(world, form_id) == []
    assert not await world.db.fetchval("select count(*) from form_submissions where form_id = $1", other)


async def test_two_submissions_at_once_do_not_share_a_file(world: World) -> None:
    """One holds it; the other is asked to choose again, and leaves nothing."""
    form_id = await world.form(fields=ASKED)
    body = {"photo": await sent(world, form_id)}
    answers = await asyncio.gather(*(submit(world, form_id, body) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 400]
    assert await world.db.fetchval("select count(*) from form_submissions where form_id = $1", form_id) == 1


async def test_a_submission_sent_again_keeps_its_files(world: World) -> None:
    """The same key and the same ids: the same submission, which holds them."""
    form_id = await world.form(fields=ASKED)
    body = {"photo": await sent(world, form_id)}
    key = uuid4().hex
    ids = {(await submit(world, form_id, body, idempotency_key=key)).json()["submission_id"] for _ in range(2)}
    assert [str(row["submission_id"]) for row in await held(world, form_id)] == list(ids)


async def test_a_file_nobody_names_is_swept(world: World) -> None:
    """After an hour, with its row; one that is held stays."""
    form_id = await world.form(fields=ASKED)
    kept, lost = await sent(world, form_id), await sent(world, form_id)
    assert (await submit(world, form_id, {"photo": kept})).status_code == 201
    rows = {str(row["id"]): row["file_id"] for row in await held(world, form_id)}
    await world.db.execute(
        "update stored_files set created_at = now() - interval '61 minutes' where id = any($1)", list(rows.values())
    )

    await world.run_schedule("files_sweep")
    await run_tasks(world, "files_delete")

    assert [str(row["id"]) for row in await held(world, form_id)] == [kept]
    assert [await exists(world, f"{FOLDER}/{rows[one]}") for one in (kept, lost)] == [True, False]
    assert (await submit(world, form_id, {"photo": lost})).json()["errors"] == [
        {"field": "photo", "message": rules.CHOOSE_AGAIN}
    ]


@pytest.mark.parametrize("what", ["submission", "form"])
async def test_files_go_with_what_they_belong_to(world: World, what: str) -> None:
    """With their submission and with their form, bytes and all."""
    admin, form_id = await staff(world, "admin"), await world.form(fields=ASKED)
    answer = await submit(world, form_id, {"photo": await sent(world, form_id)})
    [row] = await held(world, form_id)

    path = f"/{form_id}/submissions/{answer.json()['submission_id']}" if what == "submission" else f"/{form_id}"
    await admin("DELETE", path)
    await run_tasks(world, "files_delete")

    assert await held(world, form_id) == []
    assert not await exists(world, f"{FOLDER}/{row['file_id']}")


async def test_a_file_is_given_within_reach_only(world: World) -> None:
    """Of a client whose forms others work for, of another submission, and before it is held: 404."""
    client, member, stranger = await world.client(), await staff(world), await staff(world)
    workspace = await world.db.fetchval("insert into task_workspaces (name) values ('w') returning id")
    await world.db.execute("update client_profiles set task_workspace_id = $2 where user_id = $1", client, workspace)
    await world.db.execute("insert into task_workspace_memberships values ($1, $2)", workspace, member.id)
    form_id = await world.form(fields=ASKED, client_id=client)
    file_id, waiting = await sent(world, form_id), await sent(world, form_id)
    first = (await submit(world, form_id, {"photo": file_id})).json()["submission_id"]
    second = (await submit(world, form_id, {"name": "Roe"})).json()["submission_id"]

    async def get(who: Staff, submission: str, file: str, status: int) -> None:
        await who("GET", f"/{form_id}/submissions/{submission}/files/{file}", status)

    await get(member, first, file_id, 200)
    await get(stranger, first, file_id, 404)
    await get(member, second, file_id, 404)
    await get(member, first, waiting, 404)
    await get(member, first, "no-id", 404)


async def test_files_are_not_sent_without_end(world: World) -> None:
    """Thirty a minute from one address, then 429."""
    form_id, address = await world.form(fields=ASKED), {"X-Forwarded-For": "203.0.113.77"}
    body = {"page_token": "forged.token", "field": "photo"}
    path = f"/embed/{form_id}/files"
    answers = [
        (await world.call("POST", path, data=body, files={"file": PHOTO}, headers=address)).status_code
        for _ in range(rules.UPLOADS_PER_IP_PER_MINUTE + 1)
    ]
    assert answers == [403] * rules.UPLOADS_PER_IP_PER_MINUTE + [429]
