"""Mail: sent once, tracked in any order, and a webhook that believes only proof."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any
from uuid import UUID, uuid4

import pytest

from emulators.faults import Fault
from shared.areas.emails import service
from shared.areas.emails.models import Mail
from tests.functions.conftest import SECRETS, World


def proof(*, age_s: float = 0, token: str | None = None, key: str | None = None) -> dict[str, str]:
    timestamp, token = str(int(time.time() - age_s)), token or uuid4().hex
    secret = (key or SECRETS["MAILGUN_WEBHOOK_SIGNING_KEY"]).encode()
    signature = hmac.new(secret, f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {"timestamp": timestamp, "token": token, "signature": signature}


def happened(message_id: str, event: str, *, at: float | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": uuid4().hex,
        "event": event,
        "timestamp": at or time.time(),
        "message": {"headers": {"message-id": message_id.strip("<>")}},
        **more,
    }


async def webhook(world: World, event: Any, signature: Any = None) -> Any:
    body = {"signature": signature or proof(), "event-data": event}
    return await world.call("POST", "/api/webhooks/mailgun", json=body)


async def track(world: World) -> None:
    """Deliver every event message that left, twice."""
    for message in list(world.sent.messages) * 2:
        key = UUID(message["attributes"]["outbox_id"])
        assert (await world.deliver_event("emails_track", message["payload"], key=key)).status_code == 204


async def sent_mail(world: World, **fields: Any) -> Any:
    """A mail that was sent, as its log row."""
    mail = Mail(**{"type": "test", "to": f"{uuid4().hex}@client.test", "subject": "Hi", "text": "Hello", **fields})
    async with world.db.transaction() as tx:
        log_id = await service.queue(tx, mail, world.services.key_ring)
    assert (await world.deliver_task("emails_send", {"email_log_id": str(log_id)})).status_code == 204
    return await log(world, log_id)


async def log(world: World, log_id: UUID) -> Any:
    return await world.db.fetchrow("select * from email_logs where id = $1", log_id)


async def test_a_mail_goes_from_pending_to_sent(world: World) -> None:
    """Logged as pending with the transaction, sent once, with the Message-Id that its events will name."""
    row = await sent_mail(world)
    assert (row["status"], row["mailgun_id"]) == ("sent", f"<{row['id']}@mail.anchor.test>")
    assert row["sent_at"] is not None


async def test_a_secret_bearing_mail_leaves_no_copy(world: World) -> None:
    """A one-time code is sealed until it is sent; the log never shows it, and afterwards not even the seal is left."""
    code = uuid4().hex
    mail = Mail(
        type="mfa_otp", to=f"{code}@client.test", subject="Your code", text=f"Code {code}-x", html=f"<b>{code}-x</b>"
    )
    async with world.db.transaction() as tx:
        log_id = await service.queue(tx, mail, world.services.key_ring)
    before = await log(world, log_id)
    await world.deliver_task("emails_send", {"email_log_id": str(log_id)})
    after = await log(world, log_id)

    assert f"{code}-x" not in str(dict(before)) and before["sealed_content"] is not None
    assert f"{code}-x" not in str(dict(after)) and after["sealed_content"] is None
    [arrived] = [mail for mail in world.mailgun.mails if f"{code}@client.test" in mail.recipients]
    assert f"{code}-x" in arrived.text


async def test_events_in_any_order_give_the_same_tracking(world: World) -> None:
    """A bounce stays a bounce when its delivery is told later; opens and clicks count once per event."""
    row = await sent_mail(world)
    now = time.time()
    opened = happened(row["mailgun_id"], "opened", at=now - 30)
    events = [
        happened(row["mailgun_id"], "failed", at=now, severity="permanent", **{"delivery-status": {"code": 550}}),
        opened,
        opened,
        happened(row["mailgun_id"], "opened", at=now - 60),
        happened(row["mailgun_id"], "clicked", at=now - 20, url="https://anchor.test/"),
        happened(row["mailgun_id"], "delivered", at=now - 90),
    ]
    answers = [(await webhook(world, event)).json() for event in events]
    await track(world)

    row = await log(world, row["id"])
    assert {answer["logId"] for answer in answers} == {str(row["id"])}
    assert (row["status"], row["bounce_type"], row["bounce_code"]) == ("bounced", "hard", "550")
    assert (row["open_count"], row["click_count"]) == (2, 1)
    assert row["delivered_at"] < row["opened_at"] < row["clicked_at"] < row["bounced_at"]


async def test_a_webhook_without_proof_changes_nothing(world: World) -> None:
    """No, wrong, incomplete or stale signature: 406, which Mailgun does not repeat."""
    row = await sent_mail(world)
    event = happened(row["mailgun_id"], "delivered")
    for signature in ({}, proof(key="wrong"), {**proof(), "token": "other"}, proof(age_s=10 * 3600), "text", [1]):
        answer = await world.call("POST", "/api/webhooks/mailgun", json={"signature": signature, "event-data": event})
        assert answer.status_code == 406, signature
    missing = await world.call("POST", "/api/webhooks/mailgun", json={"event-data": event})
    assert missing.status_code == 406
    assert not await world.db.fetchval("select count(*) from email_events where email_log_id = $1", row["id"])


async def test_a_proof_is_good_for_one_event(world: World) -> None:
    """The same post again is received again; the same proof under another event is refused."""
    row = await sent_mail(world)
    signature = proof()
    event = happened(row["mailgun_id"], "opened")

    first = await webhook(world, event, signature)
    again = await webhook(world, event, signature)
    forged = await webhook(world, happened(row["mailgun_id"], "opened"), signature)
    await track(world)

    assert [first.status_code, again.status_code, forged.status_code] == [200, 200, 406]
    assert (await log(world, row["id"]))["open_count"] == 1


async def test_events_of_nobody_are_skipped(world: World) -> None:
    """An unknown message id, none, and an event type we do not know are all 200, and store nothing half."""
    row = await sent_mail(world)
    unknown = await webhook(world, happened("<nobody@x.test>", "opened"))
    without = await webhook(world, {"event": "opened", "id": "e"})
    wildcard = await webhook(world, happened("%", "opened"))
    strange = await webhook(world, happened(row["mailgun_id"], "list_member_uploaded"))
    await track(world)

    assert (unknown.status_code, unknown.json()["skipped"]) == (200, "no-matching-log")
    assert (without.status_code, without.json()["skipped"]) == (200, "no-message-id")
    assert wildcard.json()["skipped"] == "no-matching-log"
    assert strange.status_code == 200
    assert (await log(world, row["id"]))["status"] == "sent"


@pytest.mark.parametrize("content", ["", "nope", "[]", '{"signature": 1}', '{"event-data": {}}'])
async def test_a_webhook_body_that_is_none_is_refused(world: World, content: str) -> None:
    """Whatever is posted gets a 4xx with a message."""
    answer = await world.call("POST", "/api/webhooks/mailgun", content=content)
    assert answer.status_code in (400, 406)
    assert answer.json()["message"]


async def test_no_event_data_is_a_400(world: World) -> None:
    """A proved post without event-data names that field."""
    answer = await world.call("POST", "/api/webhooks/mailgun", json={"signature": proof()})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "event-data"


async def test_a_rejected_mail_is_failed_with_its_reason(world: World) -> None:
    """What Mailgun will never take is failed and parked; nothing tries it again."""
    world.faults.put("mailgun", Fault(status=400, times=1))
    mail = Mail(type="test", to=f"{uuid4().hex}@client.test", subject="Hi", text="Hello")
    async with world.db.transaction() as tx:
        log_id = await service.queue(tx, mail, world.services.key_ring)
    [work] = await world.outbox("emails_send", email_log_id=str(log_id))

    answer = await world.deliver_task("emails_send", {"email_log_id": str(log_id)}, key=work["id"])

    assert answer.status_code == 204
    assert (await log(world, log_id))["error_message"] == "mailgun 400"
    assert await world.db.fetchval("select dead_reason from outbox where id = $1", work["id"]) == "mailgun 400"


async def test_the_last_attempt_parks_instead_of_losing(world: World) -> None:
    """Cloud Tasks would drop the task after its last attempt; the work is kept dead instead."""
    world.faults.put("mailgun", Fault(status=503))
    mail = Mail(type="test", to=f"{uuid4().hex}@client.test", subject="Hi", text="Hello")
    async with world.db.transaction() as tx:
        log_id = await service.queue(tx, mail, world.services.key_ring)
    [work] = await world.outbox("emails_send", email_log_id=str(log_id))

    for retries, status in ((0, 503), (8, 503), (9, 204)):
        answer = await world.deliver_task("emails_send", {"email_log_id": str(log_id)}, key=work["id"], retries=retries)
        assert answer.status_code == status
    reason = await world.db.fetchval("select dead_reason from outbox where id = $1", work["id"])
    assert reason == "gave up: mailgun 503"
    row = await log(world, log_id)
    assert (row["status"], row["error_message"]) == ("failed", "mailgun 503")


async def test_a_mail_that_was_given_up_can_be_sent_again(world: World) -> None:
    """While Mailgun does not know our key a mail fails, its secret kept sealed; sent again, it arrives."""
    world.faults.put("mailgun", Fault(status=401))
    mail = Mail(type="onboarding_invite", to=f"{uuid4().hex}@client.test", subject="Hi", text="come in")
    async with world.db.transaction() as tx:
        log_id = await service.queue(tx, mail, world.services.key_ring)
    await world.deliver_task("emails_send", {"email_log_id": str(log_id)})
    given_up = await log(world, log_id)
    world.faults.clear("mailgun")

    await world.deliver_task("emails_send", {"email_log_id": str(log_id)})

    assert (given_up["status"], given_up["error_message"]) == ("failed", "mailgun 401")
    assert (await log(world, log_id))["status"] == "sent"
    assert [sent.text for sent in world.mailgun.mails if mail.to in str(sent.to)] == ["come in"]


async def test_a_mail_given_up_without_an_answer_is_looked_for_before_it_goes_again(world: World) -> None:
    """Mailgun took the mail, but no attempt heard so: sent again by a person, it is found and not doubled."""
    mail = await sent_mail(world)
    await world.db.execute("update email_logs set status = 'failed', sent_at = null where id = $1", mail["id"])

    await world.deliver_task("emails_send", {"email_log_id": str(mail["id"])})

    assert (await log(world, mail["id"]))["status"] == "sent"
    assert len([sent for sent in world.mailgun.mails if mail["recipient_email"] in str(sent.to)]) == 1


async def test_the_probe_is_for_staff(world: World) -> None:
    """Strangers learn nothing of the webhook's set-up; staff may look."""
    assert (await world.call("GET", "/api/webhooks/mailgun/test")).status_code == 401
    client = await world.sign_in(await world.user("client"))
    assert (await world.call("GET", "/api/webhooks/mailgun/test", headers=client)).status_code == 403
    team = await world.sign_in(await world.user("team"))
    assert (await world.call("GET", "/api/webhooks/mailgun/test", headers=team)).json()["status"] == "ok"


async def test_a_failed_mail_is_sent_when_its_work_is_sent_again(world: World) -> None:
    """Refused once, its work sent again after the cause was mended: it arrives. A secret's content is gone by then."""
    for kind, status in (("test", "sent"), ("mfa_otp", "failed")):
        world.faults.put("mailgun", Fault(status=400, times=1))
        mail = Mail(type=kind, to=f"{uuid4().hex}@client.test", subject="Hi", text="Hello")
        async with world.db.transaction() as tx:
            log_id = await service.queue(tx, mail, world.services.key_ring)
        for _ in range(2):
            await world.deliver_task("emails_send", {"email_log_id": str(log_id)})
        assert (await log(world, log_id))["status"] == status
    assert not any("not kept" in mail.text for mail in world.mailgun.mails)
