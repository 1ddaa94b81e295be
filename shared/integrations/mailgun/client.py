"""Sends mail through Mailgun, and finds out whether a mail was accepted whose answer was lost.

Sources: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun (messages, events). Every call is
tried once; errors are ``TryLater``, ``Reconnect`` or ``Rejected``, and carry nothing of the mail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shared.config import settings
from shared.errors import TryLater, vendor_error

if TYPE_CHECKING:
    import httpx


def connect(base_url: str, *, api_key: str, timeout_s: float) -> httpx.AsyncClient:
    """The connection pool for one API key. Close it, or keep it as long as the instance lives."""
    import httpx

    return httpx.AsyncClient(base_url=base_url, auth=httpx.BasicAuth("api", api_key), timeout=timeout_s)


class MailgunClient:
    """One sending domain; one without a dot is Mailgun's own (``sandbox123`` → ``sandbox123.mailgun.org``).

    ``sender`` is who mails come from (``Name <address>``), the settings' own when it is not given.
    """

    def __init__(self, http: httpx.AsyncClient, domain: str, *, sender: str = ""):
        self._http = http
        self._path = f"/v3/{quote(domain if '.' in domain else f'{domain}.mailgun.org', safe='')}"
        self._sender = sender or address(settings().mailgun_from_email, settings().mailgun_from_name)

    async def send(
        self,
        *,
        message_id: str,
        to: str,
        to_name: str = "",
        subject: str,
        text: str,
        html: str | None = None,
        tag: str,
        tracked: bool = True,
        variables: Mapping[str, str] | None = None,
        unsubscribe_url: str | None = None,
    ) -> str:
        """Hand one mail over; what Mailgun says to it (``Queued. Thank you.``).

        ``message_id`` is ours, in angle brackets, the same at each try: a TryLater may come after Mailgun took the
        mail, so ask ``find_accepted`` before trying again. ``tag`` is the mail's type. ``tracked`` off leaves links and
        pixels alone, as mails with secret links need it. ``variables`` come back with each webhook: ids only.
        ``unsubscribe_url``: where mail programs may unsubscribe their user with one click (RFC 8058).
        """
        tracking = "yes" if tracked else "no"
        form = {
            "from": self._sender,
            "to": address(to, to_name),
            "subject": _one_line(subject),
            "text": text,
            "h:Message-Id": message_id,
            "o:tag": tag,
            "o:tracking": tracking,
            "o:tracking-clicks": tracking,
            "o:tracking-opens": tracking,
            **({"html": html} if html is not None else {}),
            **(_one_click(unsubscribe_url) if unsubscribe_url is not None else {}),
            **{f"v:{name}": value for name, value in (variables or {}).items()},
        }
        answer = await self._call("POST", f"{self._path}/messages", data=form)
        note = answer.get("message")
        return note if isinstance(note, str) else ""

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


def address(email: str, name: str = "") -> str:
    """``"Name" <email>``; neither part can begin a new header line or a second address."""
    quoted = re.sub(r'["\\\\<>]', "", _one_line(name))
    return f'"{quoted}" <{_one_line(email)}>' if quoted else _one_line(email)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _one_click(url: str) -> dict[str, str]:
    return {"h:List-Unsubscribe": f"<{url}>", "h:List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _message_id(item: object) -> str | None:
    """``message.headers.message-id`` of an event, without brackets."""
    for key in ("message", "headers", "message-id"):
        item = item.get(key) if isinstance(item, dict) else None
    return item.strip().strip("<>") if isinstance(item, str) else None
