"""The Mailgun stand-in keeps the vendor's contract."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from emulators.faults import Fault, Faults
from emulators.vendors.mailgun import EVENTS, Mailgun, event_data

MESSAGES = "/v3/mail.anchor.test/messages"
MAIL = {"from": "Anchor <hello@mail.anchor.test>", "to": "ada@example.com", "subject": "Hi", "text": "Hello"}


@pytest_asyncio.fixture
async def mailgun(
    faults: Faults, running: Callable[..., Any], inbox: Any
) -> AsyncIterator[tuple[Mailgun, httpx.AsyncClient]]:
    vendor = Mailgun(
        faults, api_key="key", signing_key="sign", webhook_url=inbox.server.url, retry_delays_s=(0.01,) * 3
    )
    async with running(vendor, auth=("api", "key")) as http:
        yield vendor, http


async def test_a_message_is_queued_and_its_event_is_there_at_once(mailgun: Any) -> None:
    """The id comes in angle brackets; the Events API finds ``accepted`` by the id without them."""
    vendor, http = mailgun
    sent = await http.post(MESSAGES, data={**MAIL, "o:tag": ["a", "b"], "v:log": "7", "h:Reply-To": "x@example.com"})

    assert sent.json()["message"] == "Queued. Thank you."
    message_id = sent.json()["id"]
    assert message_id.startswith("<") and message_id.endswith("@mail.anchor.test>")
    events = (await http.get("/v3/mail.anchor.test/events", params={"message-id": message_id.strip("<>")})).json()
    assert [event["event"] for event in events["items"]] == ["accepted"]
    assert vendor.mails[0].tags == ["a", "b"] and vendor.mails[0].variables == {"log": "7"}


async def test_a_given_message_id_is_kept(mailgun: Any) -> None:
    """A retry under the same Message-Id can be found by it."""
    _, http = mailgun
    sent = await http.post(MESSAGES, data={**MAIL, "h:Message-Id": "<abc@mail.anchor.test>"})
    assert sent.json()["id"] == "<abc@mail.anchor.test>"


async def test_attachments_arrive_by_multipart(mailgun: Any) -> None:
    """A file is listed with its name, type and size."""
    vendor, http = mailgun
    files = {"attachment": ("a.txt", b"12345", "text/plain")}
    assert (await http.post(MESSAGES, data=MAIL, files=files)).status_code == 200
    assert vendor.mails[0].attachments == [{"filename": "a.txt", "content_type": "text/plain", "size": 5}]


async def test_strangers_are_forbidden_in_plain_text(mailgun: Any) -> None:
    """Mailgun's 401 is the word Forbidden; another domain is a 404."""
    vendor, http = mailgun
    for auth in (None, ("api", "wrong"), ("key", "key")):
        async with httpx.AsyncClient(base_url=vendor.url, auth=auth) as stranger:
            answer = await stranger.post(MESSAGES, data=MAIL)
            assert (answer.status_code, answer.text) == (401, "Forbidden")
    assert (await http.post("/v3/other.test/messages", data=MAIL)).status_code == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"from": ""}, "from parameter is missing"),
        ({"to": ""}, "to parameter is missing"),
        ({"to": "nobody"}, "to parameter is not a valid address"),
        ({"cc": "a@b"}, "cc parameter is not a valid address"),
        ({"text": ""}, "Need at least one of 'text', 'html'"),
    ],
)
async def test_what_is_missing_is_named(mailgun: Any, change: dict[str, str], words: str) -> None:
    """A bad message is a 400 with Mailgun's sentence, and nothing is queued."""
    vendor, http = mailgun
    answer = await http.post(MESSAGES, data={**MAIL, **change})
    assert answer.status_code == 400 and answer.json()["message"].startswith(words)
    assert vendor.mails == []


async def test_events_are_read_page_by_page(mailgun: Any) -> None:
    """Following ``next`` until an empty page reads every event once, oldest first when asked."""
    _, http = mailgun
    for n in range(5):
        await http.post(MESSAGES, data={**MAIL, "to": f"p{n}@example.com"})
    url, read = "/v3/mail.anchor.test/events?limit=2&ascending=yes&begin=0", []
    while items := (page := (await http.get(url)).json())["items"]:
        read += [item["recipient"] for item in items]
        url = page["paging"]["next"]
    assert read == [f"p{n}@example.com" for n in range(5)]
    assert (await http.get("/v3/mail.anchor.test/events", params={"event": "failed"})).json()["items"] == []
    assert (await http.get("/v3/mail.anchor.test/events", params={"begin": "soon"})).status_code == 400


async def test_webhooks_are_signed(mailgun: Any, inbox: Any) -> None:
    """The signature is HMAC-SHA256 over timestamp and token; the message id has no angle brackets."""
    vendor, http = mailgun
    message_id = (await http.post(MESSAGES, data=MAIL)).json()["id"]
    vendor.happen(vendor.mails[0], "failed", severity="temporary")

    await vendor.settle()
    [_, (_, body)] = inbox.received

    signature = body["signature"]
    expected = hmac.new(b"sign", (signature["timestamp"] + signature["token"]).encode(), hashlib.sha256).hexdigest()
    assert signature["signature"] == expected
    data = body["event-data"]
    assert data["message"]["headers"]["message-id"] == message_id.strip("<>")
    assert (data["event"], data["severity"], data["delivery-status"]["code"]) == ("failed", "temporary", 421)


@pytest.mark.parametrize(
    ("answers", "tries", "state"),
    [([200], 1, "done"), ([406], 1, "refused"), ([500, 404, 200], 3, "done"), ([503], 4, "given up")],
)
async def test_a_webhook_is_repeated_unless_200_or_406(
    mailgun: Any, inbox: Any, answers: list[int], tries: int, state: str
) -> None:
    """Any other answer, a 404 too, is tried again until the retries run out; the event id stays the same."""
    vendor, http = mailgun
    inbox.answers = answers
    await http.post(MESSAGES, data=MAIL)
    await vendor.settle()
    assert vendor.deliveries[0].state == state
    assert len({body["event-data"]["id"] for _, body in inbox.received}) == 1
    assert len(inbox.received) == tries


async def test_automatic_events_follow_each_mail(mailgun: Any, inbox: Any) -> None:
    """With auto_events the delivered webhook needs nobody to ask for it, one for each recipient."""
    vendor, http = mailgun
    vendor.auto_events = ("delivered",)
    await http.post(MESSAGES, data={**MAIL, "to": "a@example.com, b@example.com"})
    await vendor.settle()
    told = [(body["event-data"]["event"], body["event-data"]["recipient"]) for _, body in inbox.received]
    assert sorted(told) == [(e, f"{p}@example.com") for e in ("accepted", "delivered") for p in "ab"]


async def test_every_event_has_what_a_tracker_reads(mailgun: Any) -> None:
    """Each kind of event carries the fields that Mailgun documents for it."""
    vendor, http = mailgun
    await http.post(MESSAGES, data=MAIL)
    made = {name: event_data(vendor.mails[0], name, "ada@example.com") for name in EVENTS}
    assert all(
        {"id", "event", "timestamp", "recipient", "message", "tags", "user-variables"} <= set(e) for e in made.values()
    )
    assert made["clicked"]["url"] and {"ip", "client-info", "geolocation"} <= set(made["opened"])
    assert made["failed"]["severity"] == "permanent" and made["delivered"]["delivery-status"]["code"] == 250


async def test_faults_speak_mailguns_words(mailgun: Any, faults: Faults) -> None:
    """A 429 has Retry-After and a JSON message."""
    _, http = mailgun
    faults.put("mailgun", Fault(status=429, times=1))
    answer = await http.post(MESSAGES, data=MAIL)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1") and "message" in answer.json()
