"""A visitor's form, from its page to the lead that is classified, recorded and mailed."""

from __future__ import annotations

import asyncio
import html
import json
import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from emulators.faults import Fault
from shared.areas.forms import rules
from shared.crypto import KeyRing, Sealed, column_context
from tests.functions.conftest import SECRETS, World
from tests.functions.forms import ANSWERS, page_token, process, submit, token_for

ASKED: list[dict[str, Any]] = [
    {"name": "name", "type": "text", "label": "Name", "required": True},
    {"name": "phone", "type": "phone", "label": "Phone", "required": True},
    {"name": "message", "type": "textarea", "label": "Message", "required": False},
]


async def steps(world: World, submission_id: str) -> dict[str, tuple[str, str | None]]:
    rows = await world.db.fetch(
        "select job_type, recipient, outcome, reason from form_submission_jobs where submission_id = $1",
        UUID(submission_id),
    )
    return {row["recipient"] or row["job_type"]: (row["outcome"], row["reason"]) for row in rows}


def mails_to(world: World, address: str) -> list[Any]:
    return [mail for mail in world.mailgun.mails if address in mail.recipients]


@pytest.fixture
async def recipient() -> str:
    return f"{uuid4().hex}@client.test"


async def test_a_submission_is_accepted_then_classified_recorded_and_mailed(world: World, recipient: str) -> None:
    """The main path: accepted in one commit with its work, then each step done once, whoever delivers how often."""
    client_id = await world.client(ctm=True)
    reactor = f"FRT-{client_id.int % 10**9}"
    form_id = await world.form(
        fields=ASKED,
        client_id=client_id,
        email_recipients=[recipient],
        ctm_enabled=True,
        ctm_conversion_action_id=reactor,
        ctm_five_star_enabled=True,
        custom_thank_you_message="We call you back.",
    )

    accepted = await submit(world, form_id, page_token=await token_for(world, form_id, origin="https://shop.test"))

    assert accepted.status_code == 201, accepted.text
    assert accepted.json()["message"] == "We call you back."
    submission_id = accepted.json()["submission_id"]
    assert [task["payload"] for task in world.sent.tasks] == [{"submission_id": submission_id}]

    assert [await process(world, submission_id) for _ in range(3)] == [204, 204, 204]

    row = await world.db.fetchrow("select * from form_submissions where id = $1", UUID(submission_id))
    assert row["classification"] == "very_good"
    assert row["extracted"]["timing"] == "tomorrow" and "budget" not in row["extracted"]
    assert row["embed_domain"] == "shop.test"
    assert row["ctm_sent"] and row["email_sent"]
    assert set((await steps(world, submission_id)).values()) == {("done", None), ("sent", None)}
    [mail] = mails_to(world, recipient)
    assert "Message: I want to book an appointment" in mail.text
    [record] = world.ctm.accounts[str(client_id.int % 10**9)].calls
    assert record["form"]["custom"]["submission_id"] == submission_id
    assert record["sale"]["score"] == 5


async def test_health_answers_leave_nowhere(world: World, recipient: str) -> None:
    """An intake is stored encrypted, never classified, and neither mail nor CTM nor log holds an answer."""
    client_id = await world.client(ctm=True)
    form_id = await world.form(
        type="intake", fields=ASKED, client_id=client_id, email_recipients=[recipient], ctm_enabled=True,
        ctm_conversion_action_id=f"FRT-{client_id.int % 10**9}",
    )  # fmt: skip
    secret = f"chronic-{uuid4().hex}"
    prompts = len(world.vertex.prompts())

    accepted = await submit(world, form_id, {**ANSWERS, "message": secret})
    submission_id = accepted.json()["submission_id"]
    assert await process(world, submission_id) == 204

    row = await world.db.fetchrow("select * from form_submissions where id = $1", UUID(submission_id))
    assert row["non_phi_payload"] is None
    ring = KeyRing.parse(SECRETS["ENCRYPTION_KEYS"])
    box = Sealed(row["encryption_key_id"], row["encrypted_payload"])
    opened = json.loads(ring.open(box, context=column_context("form_submissions", "encrypted_payload", submission_id)))
    assert opened["message"] == secret
    [mail] = mails_to(world, recipient)
    assert secret not in mail.text and "Robin" not in mail.text
    assert len(world.vertex.prompts()) == prompts
    assert (await steps(world, submission_id))["classification"] == ("skipped", "health data is not classified")
    everything = json.dumps([dict(r) for r in await world.db.fetch("select payload from outbox")])
    assert secret not in everything


async def test_the_same_idempotency_key_is_the_same_submission(world: World) -> None:
    """Sent twice, also at once, a submission is stored and processed once and both get the same id."""
    form_id = await world.form(fields=ASKED)
    key = uuid4().hex

    answers = await asyncio.gather(*(submit(world, form_id, idempotency_key=key) for _ in range(5)))

    assert {answer.status_code for answer in answers} == {201}
    [submission_id] = {answer.json()["submission_id"] for answer in answers}
    assert len(await world.outbox("forms_process", submission_id=submission_id)) == 1


async def test_a_vendor_outage_delays_only_what_it_hit(world: World, recipient: str) -> None:
    """While Mailgun is down the other steps are done; when it is back, only the mail is sent."""
    form_id = await world.form(fields=ASKED, email_recipients=[recipient])
    submission_id = (await submit(world, form_id)).json()["submission_id"]
    world.faults.put("mailgun", Fault(status=503))

    assert await process(world, submission_id) == 503
    during = await steps(world, submission_id)
    world.faults.clear("mailgun")
    prompts = len(world.vertex.prompts())
    assert await process(world, submission_id) == 204

    assert during["classification"] == ("done", None)
    assert during[recipient] == (None, "mailgun 503")
    assert len(mails_to(world, recipient)) == 1
    assert len(world.vertex.prompts()) == prompts


async def test_a_step_that_keeps_failing_is_parked_and_can_be_sent_again(world: World, recipient: str) -> None:
    """After five attempts the work is dead with its reason; sent again, it starts anew and works."""
    form_id = await world.form(fields=ASKED, email_recipients=[recipient])
    submission_id = (await submit(world, form_id)).json()["submission_id"]
    world.faults.put("mailgun", Fault(status=500))

    assert [await process(world, submission_id) for _ in range(5)] == [503, 503, 503, 503, 204]
    [work] = await world.outbox("forms_process", submission_id=submission_id)
    assert "gave up after 5 attempts: mailgun 500" in work["dead_reason"]

    world.faults.clear("mailgun")
    admin = await world.sign_in(await world.user("superadmin"))
    assert (await world.call("POST", f"/api/jobs/dead/{work['id']}/resend", headers=admin)).status_code == 200
    assert await process(world, submission_id) == 204
    assert (await steps(world, submission_id))[recipient] == ("sent", None)
    assert len(mails_to(world, recipient)) == 1


async def test_a_lost_answer_of_mailguns_sends_no_second_mail(world: World, recipient: str) -> None:
    """A run killed after Mailgun took the mail, before we knew: the next run finds it in the event log."""
    form_id = await world.form(fields=ASKED, email_recipients=[recipient])
    submission_id = (await submit(world, form_id)).json()["submission_id"]
    assert await process(world, submission_id) == 204
    await world.db.execute(  # as the crash would have left it
        "update email_logs set status = 'pending', sent_at = null where recipient_email = $1", recipient
    )
    await world.db.execute(
        "update form_submission_jobs set status = 'processing', outcome = null where recipient = $1", recipient
    )

    assert await process(world, submission_id, key=uuid4()) == 204

    assert len(mails_to(world, recipient)) == 1
    assert (await steps(world, submission_id))[recipient] == ("sent", None)


async def test_a_lost_answer_of_ctms_makes_no_second_record(world: World) -> None:
    """A run killed after CTM made the record finds it by the submission's id."""
    client_id = await world.client(ctm=True)
    number = str(client_id.int % 10**9)
    form_id = await world.form(
        fields=ASKED, client_id=client_id, ctm_enabled=True, ctm_conversion_action_id=f"FRT-{number}"
    )
    submission_id = (await submit(world, form_id)).json()["submission_id"]
    assert await process(world, submission_id) == 204
    await world.db.execute(
        """update form_submission_jobs set status = 'processing', outcome = null, attempted_at = now()
           where submission_id = $1 and job_type = 'ctm_conversion'""",
        UUID(submission_id),
    )

    assert await process(world, submission_id, key=uuid4()) == 204

    assert len(world.ctm.accounts[number].calls) == 1


async def test_refused_credentials_are_a_stated_reason(world: World) -> None:
    """CTM refusing the client's key parks the work with that reason at once: no attempt can mend it."""
    client_id = await world.client(ctm=True)
    number = str(client_id.int % 10**9)
    world.ctm.accounts[number].secret = "changed since"
    form_id = await world.form(
        fields=ASKED, client_id=client_id, ctm_enabled=True, ctm_conversion_action_id=f"FRT-{number}"
    )
    submission_id = (await submit(world, form_id)).json()["submission_id"]

    assert await process(world, submission_id) == 204

    [work] = await world.outbox("forms_process", submission_id=submission_id)
    assert work["dead_reason"] == "ctm_conversion: ctm 401"
    assert (await steps(world, submission_id))["ctm_conversion"] == ("failed", "ctm 401")


async def test_steps_that_are_not_wanted_say_why(world: World) -> None:
    """What is not done is recorded as skipped with its reason, not as sent."""
    form_id = await world.form(fields=ASKED, ctm_enabled=True, ctm_conversion_action_id="FRT-1")
    submission_id = (await submit(world, form_id)).json()["submission_id"]
    assert await process(world, submission_id) == 204

    assert await steps(world, submission_id) == {
        "classification": ("done", None),
        "ctm_conversion": ("skipped", "the form's client has no CTM account"),
        "email_notification": ("skipped", "no recipients"),
    }


async def test_accepting_does_not_need_cloud_tasks(world: World) -> None:
    """With Cloud Tasks down the visitor is answered all the same, and the sweep sends the work later."""
    form_id = await world.form(fields=ASKED)
    world.sent.down = True

    accepted = await submit(world, form_id)

    assert accepted.status_code == 201
    [work] = await world.outbox("forms_process", submission_id=accepted.json()["submission_id"])
    assert work["dispatched_at"] is None
    world.sent.down = False
    await world.db.execute("update outbox set created_at = now() - interval '1 min' where id = $1", work["id"])
    await world.run_schedule("jobs_sweep_outbox")
    assert f"{work['id']}-0" in [task["name"] for task in world.sent.tasks]


async def test_both_bodies_are_taken(world: World) -> None:
    """The reference's body (fields, metadata) is taken like the platform's (payload, attribution)."""
    form_id = await world.form(fields=ASKED)
    answer = await world.call(
        "POST",
        f"/embed/{form_id}/submit",
        json={"fields": ANSWERS, "metadata": {"page_url": "https://shop.test/contact", "referrer": "https://s.test/"}},
    )
    row = await world.db.fetchrow(
        "select non_phi_payload, embed_domain from form_submissions where id = $1", UUID(answer.json()["submission_id"])
    )
    assert row["non_phi_payload"]["name"] == "Robin Roe"
    assert row["embed_domain"] == "shop.test"


@pytest.mark.parametrize(
    ("content", "status", "field"),
    [
        ("not json", 400, "body"),
        ('"text"', 400, "body"),
        ("[]", 400, "body"),
        ("{}", 400, "payload"),
        ('{"payload": []}', 400, "payload"),
        ('{"payload": {"name": "A", "phone": "+15555550123"}, "idempotency_key": 7}', 400, "idempotency_key"),
        ('{"payload": {"phone": "+15555550123"}}', 400, "name"),
        ('{"payload": {"name": "A", "phone": "call me"}}', 400, "phone"),
        ('{"payload": {"name": ["A"], "phone": "+15555550123"}}', 400, "name"),
    ],
)
async def test_bad_bodies_name_the_field_and_store_nothing(world: World, content: str, status: int, field: str) -> None:
    """Whatever is wrong with a body is a 400 that names the field, and no row is left."""
    form_id = await world.form(fields=ASKED)

    answer = await world.call(
        "POST", f"/embed/{form_id}/submit", content=content, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == status, answer.text
    assert field in answer.json()["message"]
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert not await world.db.fetchval("select count(*) from form_submissions where form_id = $1", form_id)


async def test_a_body_of_a_megabyte_is_refused(world: World) -> None:
    """1 MB is 413, with and without a declared length."""
    form_id = await world.form(fields=ASKED)
    big = json.dumps({"payload": {"name": "x" * 1_000_000}}).encode()

    async def chunks() -> Any:
        for start in range(0, len(big), 65536):
            yield big[start : start + 65536]

    for content in (big, chunks()):
        answer = await world.call("POST", f"/embed/{form_id}/submit", content=content)
        assert answer.status_code == 413
        assert answer.json()["code"] == "TOO_LARGE"


async def test_unknown_and_unpublished_forms_are_not_there(world: World) -> None:
    """An id that is none, an unknown one, a draft and an archived form are all 404."""
    draft, archived = await world.form(status="draft"), await world.form(status="archived")
    for form_id in ("nonsense", uuid4(), draft, archived):
        for method, path in (("POST", f"/embed/{form_id}/submit"), ("GET", f"/embed/{form_id}/json")):
            answer = await world.call(method, path, **({"json": {"payload": ANSWERS}} if method == "POST" else {}))
            assert answer.status_code == 404, path
            assert answer.json()["message"]


async def test_page_tokens_bind_form_site_and_time(world: World) -> None:
    """Forged, of another form, of a site not allowed, too old or too quick: refused, each with its own code."""
    form_id = await world.form(fields=ASKED, domain_allowlist=["shop.test"])
    other = await world.form(fields=ASKED)
    cases = {
        "forged.token": (403, "PAGE_TOKEN_INVALID"),
        await token_for(world, other, origin="https://shop.test"): (403, "PAGE_TOKEN_INVALID"),
        await token_for(world, form_id, origin="https://shop.test.evil.net"): (403, "DOMAIN_NOT_ALLOWED"),
        await token_for(world, form_id, origin="https://shop.test", age_s=5 * 3600): (400, "PAGE_EXPIRED"),
        await token_for(world, form_id, origin="https://shop.test", age_s=0.5): (429, "TOO_FAST"),
        await token_for(world, form_id, origin="https://www.shop.test"): (201, None),
    }
    for token, (status, code) in cases.items():
        answer = await submit(world, form_id, page_token=token)
        assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    without = await world.call(
        "POST", f"/embed/{form_id}/submit", json={"payload": ANSWERS}, headers={"Origin": "https://evil.test"}
    )
    assert without.status_code == 403
    assert await world.db.fetchval("select count(*) from form_submissions where form_id = $1", form_id) == 1


async def test_a_filled_honeypot_is_told(world: World) -> None:
    """A field no person sees, filled in: a 400 that says so, and nothing stored."""
    form_id = await world.form(fields=ASKED)
    answer = await submit(world, form_id, {**ANSWERS, rules.HONEYPOT: "http://spam.test"})
    assert (answer.status_code, answer.json()["code"]) == (400, "LOOKS_AUTOMATED")


async def test_the_31st_request_of_a_minute_waits(world: World) -> None:
    """30 requests a minute from one address, counted over all of /embed; the 31st is told how long to wait."""
    form_id = await world.form(fields=ASKED)
    sender = {"X-Forwarded-For": "203.0.113.77"}
    statuses = [(await world.call("GET", f"/embed/{form_id}/json", headers=sender)).status_code for _ in range(30)]
    limited = await world.call("POST", f"/embed/{form_id}/submit", json={"payload": ANSWERS}, headers=sender)

    assert set(statuses) == {200}
    assert limited.status_code == 429
    assert 1 <= int(limited.headers["retry-after"]) <= 60


async def test_a_caller_cannot_choose_its_address(world: World) -> None:
    """Only the entry that the trusted proxy appended counts; what the caller wrote before it does not."""
    form_id = await world.form(fields=ASKED)
    forged = await submit(world, form_id)
    answer = await world.http.post(
        f"/embed/{form_id}/submit",
        json={"payload": ANSWERS},
        headers={"X-Forwarded-For": "1.2.3.4, not-an-address, 198.51.100.9"},
    )
    ip = await world.db.fetchval(
        "select host(ip_address) from form_submissions where id = $1", UUID(answer.json()["submission_id"])
    )
    assert forged.status_code == 201
    assert ip == "198.51.100.9"


async def test_the_page_is_isolated_and_framable_where_allowed(world: World) -> None:
    """The page runs without our origin, only allowed sites may frame it, and author text cannot break out."""
    form_id = await world.form(
        fields=ASKED, domain_allowlist=["shop.test"], code='<form data-anchor-form><input name="name"></form>'
    )
    await world.db.execute("update forms set name = '</title><script>alert(1)</script>' where id = $1", form_id)

    page = await world.call("GET", f"/embed/form/{form_id}", headers={"Referer": "https://shop.test/contact"})
    refused = await world.call("GET", f"/embed/form/{form_id}", headers={"Referer": "https://evil.test/"})

    policy = page.headers["content-security-policy"]
    assert page.status_code == 200
    assert "sandbox allow-scripts" in policy and "allow-same-origin" not in policy
    assert "frame-ancestors https://shop.test" in policy
    assert "x-frame-options" not in page.headers
    assert "<title>&lt;/title&gt;" in page.text
    assert refused.status_code == 403
    assert "This form may not be used on this site." in html.unescape(refused.text)


async def test_a_page_submits_the_version_it_shows(world: World) -> None:
    """A page opened before a new version was published is checked against the version it showed."""
    form_id = await world.form(fields=ASKED)
    old = await world.db.fetchval("select published_version_id from forms where id = $1", form_id)
    token = page_token(form_id, old)
    new = uuid4()
    await world.db.execute(
        """insert into form_versions (id, form_id, version_number, react_code, schema_json, published_at)
           values ($1, $2, 2, '', '{"fields": [{"name": "budget", "type": "number", "required": true}]}', now())""",
        new, form_id,
    )  # fmt: skip
    await world.db.execute("update forms set published_version_id = $2 where id = $1", form_id, new)

    assert (await submit(world, form_id, page_token=token)).status_code == 201
    assert (await submit(world, form_id)).status_code == 400


async def test_the_embed_script_is_served_both_ways(world: World) -> None:
    """The copied snippet's address and, for a script tag, the form's own address give the same script."""
    form_id = await world.form()
    snippet = await world.call("GET", "/embed/script/embed.js")
    tag = await world.call("GET", f"/embed/{form_id}", headers={"Sec-Fetch-Dest": "script"})
    data = await world.call("GET", f"/embed/{form_id}")

    assert snippet.headers["content-type"].startswith("application/javascript")
    assert snippet.headers["cache-control"] == "public, max-age=3600"
    assert snippet.headers["cross-origin-resource-policy"] == "cross-origin"
    assert tag.text == snippet.text
    assert data.json()["id"] == str(form_id)


async def test_a_draft_is_kept_encrypted_and_resumed_once_known(world: World) -> None:
    """A draft comes back by its token; it is stored encrypted, and expires."""
    form_id = await world.form(fields=ASKED, save_and_resume_enabled=True)
    saved = await world.call(
        "POST", f"/embed/{form_id}/draft/save", json={"partial_payload": {"name": "Half Done"}, "email": "A@b.test"}
    )
    token = saved.json()["resume_token"]

    resumed = await world.call("POST", f"/embed/{form_id}/draft/resume", json={"resume_token": token})
    row = await world.db.fetchrow("select * from form_draft_sessions where form_id = $1", form_id)
    await world.db.execute("update form_draft_sessions set expires_at = now() where form_id = $1", form_id)
    expired = await world.call("POST", f"/embed/{form_id}/draft/resume", json={"resume_token": token})

    assert re.fullmatch(r"[0-9a-f]{64}", token)
    assert resumed.json()["partial_payload"] == {"name": "Half Done"}
    assert b"Half" not in row["encrypted_partial_payload"]
    assert token not in str(dict(row))
    assert expired.status_code == 404


async def test_drafts_of_a_form_that_keeps_none_are_refused(world: World) -> None:
    """Save and resume are a 400 where the form does not offer them."""
    form_id = await world.form(fields=ASKED)
    answer = await world.call("POST", f"/embed/{form_id}/draft/save", json={"partial_payload": {}})
    assert (answer.status_code, answer.json()["code"]) == (400, "DRAFTS_DISABLED")


async def test_other_sites_may_call_without_credentials(world: World) -> None:
    """The page's opaque origin may submit: CORS for any origin, never with credentials."""
    form_id = await world.form(fields=ASKED)
    asked = {
        "Origin": "null",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = await world.call("OPTIONS", f"/embed/{form_id}/submit", headers=asked)

    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in preflight.headers
    assert preflight.headers["access-control-allow-headers"] == "content-type"
