"""Sends mail through Mailgun, and finds out whether a mail was accepted whose answer was lost.

Sources: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun (messages, events). Every call is
tried once; errors are ``TryLater``, ``Reconnect`` or ``Rejected``, and carry nothing of the mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shared.errors import TryLater, vendor_error

if TYPE_CHECKING:
    import httpx


def connect(base_url: str, api_key: str, timeout_s: float) -> httpx.AsyncClient:
    """The connection pool for one API key. Close it, or keep it as long as the instance lives."""
    import httpx

    return httpx.AsyncClient(base_url=base_url, auth=httpx.BasicAuth("api", api_key), timeout=timeout_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One mail to one or more addresses.

    ``message_id`` is ours, in angle brackets (``<uuid@domain>``), the same at each try. ``variables`` come back with
    each webhook: ids only. ``tracked`` off leaves links and pixels alone, as mails with secret links need it.
    """

    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: str | None = None
    tags: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    tracked: bool = True


@dataclass(frozen=True, slots=True)
class SentMessage:
    """Mailgun took the mail: ``id`` in angle brackets, ``note`` is what it said (``Queued. Thank you.``)."""

    id: str
    note: str


class MailgunClient:
    """One sending domain; one without a dot is Mailgun's own (``sandbox123`` → ``sandbox123.mailgun.org``)."""

    def __init__(self, http: httpx.AsyncClient, domain: str):
        self._http = http
        self._path = f"/v3/{quote(domain if '.' in domain else f'{domain}.mailgun.org', safe='')}"

    async def send(self, message: Message) -> SentMessage:
        """Hand a mail over. A TryLater may come after Mailgun took it: ask ``find_accepted`` before trying again."""
        answer = await self._call("POST", f"{self._path}/messages", data=_form(message))
        given = answer.get("id")
        note = answer.get("message")
        return SentMessage(
            id=bracketed(given) or message.message_id if isinstance(given, str) else message.message_id,
            note=note if isinstance(note, str) else "",
        )

    async def find_accepted(self, message_id: str) -> bool:
        """Whether Mailgun has accepted a mail with this Message-Id.

        Events appear some seconds after the mail and are kept for days: True is certain, False only after a while.
        """
        bare = message_id.strip().strip("<>")
        params = {"event": "accepted", "message-id": bare, "limit": "25"}
        answer = await self._call("GET", f"{self._path}/events", params=params)
        items = answer.get("items")
        return any(_message_id(item) == bare for item in (items if isinstance(items, list) else []))

    async def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        import httpx

        try:
            answer = await self._http.request(method, path, **request)
        except httpx.RequestError as error:
            raise TryLater("mailgun", reason=type(error).__name__) from error
        if not answer.is_success:
            raise vendor_error("mailgun", answer.status_code, retry_after=answer.headers.get("Retry-After"))
        try:
            told = answer.json()
        except ValueError as error:
            raise TryLater("mailgun", status=answer.status_code, reason="unreadable answer") from error
        return told if isinstance(told, dict) else {}


def bracketed(message_id: str | None) -> str | None:
    """A Message-Id as mail writes it and as we store it: in angle brackets. Webhooks and events leave them out."""
    bare = (message_id or "").strip().strip("<>").strip()
    return f"<{bare}>" if bare else None


def _form(message: Message) -> dict[str, str | list[str]]:
    """Mailgun's form fields; a name or subject cannot begin a new header line."""
    tracked = "yes" if message.tracked else "no"
    form: dict[str, str | list[str]] = {
        "from": _one_line(message.sender),
        "to": [_one_line(address) for address in message.to],
        "subject": _one_line(message.subject),
        "text": message.text,
        "h:Message-Id": message.message_id,
        "o:tracking": tracked,
        "o:tracking-clicks": tracked,
        "o:tracking-opens": tracked,
    }
    if message.html is not None:
        form["html"] = message.html
    if message.reply_to:
        form["h:Reply-To"] = _one_line(message.reply_to)
    for name, values in (("cc", message.cc), ("bcc", message.bcc), ("o:tag", message.tags)):
        if values:
            form[name] = [_one_line(value) for value in values]
    return form | {f"v:{name}": value for name, value in message.variables.items()}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _message_id(item: object) -> str | None:
    """``message.headers.message-id`` of an event, without brackets."""
    for key in ("message", "headers", "message-id"):
        item = item.get(key) if isinstance(item, dict) else None
    return item.strip().strip("<>") if isinstance(item, str) else None
