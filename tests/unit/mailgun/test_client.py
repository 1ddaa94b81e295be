"""How we hand mail to Mailgun."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Reconnect, Rejected, TryLater, VendorError
from shared.integrations.mailgun.client import MailgunClient, address, bracketed, connect

MAIL: dict[str, Any] = {
    "message_id": "<m1@mail.test>",
    "to": "ada@example.com",
    "to_name": "Ada",
    "subject": "Hello\r\nBcc: x@y.test",
    "text": "Hi",
    "tag": "form_submission",
}


class Mailgun:
    """Gives one answer, and remembers what it was asked."""

    def __init__(self, answer: httpx.Response | Exception):
        self.answer = answer
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def client(self, domain: str = "mail.test") -> MailgunClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self), base_url="https://mailgun.test")
        return MailgunClient(http, domain, sender="Anchor <hello@mail.test>")

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.requests[0].content.decode(), keep_blank_values=True)


async def test_a_mail_is_sent_under_our_own_message_id() -> None:
    """So that a mail whose answer was lost can be looked for; the subject stays one line."""
    mailgun = Mailgun(httpx.Response(200, json={"id": "<m1@mail.test>", "message": "Queued. Thank you."}))
    note = await mailgun.client().send(**MAIL, html="<p>Hi</p>", variables={"log": "7"})
    assert note == "Queued. Thank you."
    assert mailgun.requests[0].url.path == "/v3/mail.test/messages"
    assert mailgun.form == {
        "from": ["Anchor <hello@mail.test>"],
        "to": ['"Ada" <ada@example.com>'],
        "subject": ["Hello Bcc: x@y.test"],
        "text": ["Hi"],
        "html": ["<p>Hi</p>"],
        "h:Message-Id": ["<m1@mail.test>"],
        "o:tag": ["form_submission"],
        "o:tracking": ["yes"],
        "o:tracking-clicks": ["yes"],
        "o:tracking-opens": ["yes"],
        "v:log": ["7"],
    }


async def test_mails_with_secrets_are_not_tracked() -> None:
    """Their links must not pass through somebody else's redirect."""
    mailgun = Mailgun(httpx.Response(200, json={}))
    assert await mailgun.client("sandbox1").send(**MAIL, tracked=False) == ""
    assert mailgun.requests[0].url.path == "/v3/sandbox1.mailgun.org/messages"
    assert {name: mailgun.form[name] for name in mailgun.form if name.startswith("o:tracking")} == {
        "o:tracking": ["no"],
        "o:tracking-clicks": ["no"],
        "o:tracking-opens": ["no"],
    }


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ([{"message": {"headers": {"message-id": "m1@mail.test"}}}], True),
        ([{"message": {"headers": {"message-id": "other@mail.test"}}}], False),
        ([{"message": None}, "noise"], False),
        (None, False),
    ],
)
async def test_an_accepted_mail_is_found(items: Any, found: bool) -> None:
    """By exactly its Message-Id, whatever else the list holds."""
    mailgun = Mailgun(httpx.Response(200, json={"items": items}))
    assert await mailgun.client().find_accepted("<m1@mail.test>") is found
    assert dict(mailgun.requests[0].url.params) == {"event": "accepted", "message-id": "m1@mail.test", "limit": "25"}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, text="Forbidden"), Reconnect),
        (httpx.Response(400, json={"message": "to parameter is not a valid address: ada@example.com"}), Rejected),
        (httpx.Response(429), TryLater),
        (httpx.Response(502), TryLater),
        (httpx.Response(200, text="not json"), TryLater),
        (httpx.ReadTimeout("x"), TryLater),
        (httpx.ConnectError("x"), TryLater),
    ],
)
async def test_errors_say_what_to_do_and_nothing_of_the_mail(
    answer: httpx.Response | Exception, error: type[VendorError]
) -> None:
    """One try, no address in the text."""
    mailgun = Mailgun(answer)
    with pytest.raises(error) as caught:
        await mailgun.client().send(**MAIL)
    assert "ada@" not in str(caught.value) and len(mailgun.requests) == 1


@given(st.text(), st.text())
def test_an_address_is_one_address(email: str, name: str) -> None:
    """No name or address begins a new line, or a second address."""
    written = address(email, name)
    assert len(written.splitlines()) <= 1
    assert not set('"<>\\') & set(address("a@b.test", name).removesuffix(" <a@b.test>").strip('"'))


@pytest.mark.parametrize(
    ("given_id", "stored"), [("a@b", "<a@b>"), (" <a@b> ", "<a@b>"), ("", None), (None, None), ("<>", None)]
)
def test_message_ids_have_brackets(given_id: str | None, stored: str | None) -> None:
    """As they are stored, whatever Mailgun leaves out."""
    assert bracketed(given_id) == stored


async def test_every_timeout_is_set() -> None:
    """And the key is the API's."""
    async with connect("https://mailgun.test", api_key="k", timeout_s=2) as http:
        assert http.timeout == httpx.Timeout(2)
