"""Mailgun: accepts messages, lists their events, and sends the signed webhooks until somebody takes them.

Shapes: documentation.mailgun.com (Messages, Events, Webhooks, "webhook retries"). A message is only stored: nothing
leaves this machine, and the mail box of the console shows it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

import httpx
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from emulators.faults import Faults
from emulators.vendors.vendor import Refused, Vendor, basic_credentials, same, whole_number

EVENTS = ("accepted", "delivered", "opened", "clicked", "failed", "complained", "unsubscribed")
TAKEN = 200  # a webhook answered 200 is done
REFUSED = 406  # … and one answered 406 is given up; every other answer is tried again
RETRY_AFTER_S = (300, 600, 900, 3600, 7200, 14400)  # Mailgun's own: about eight hours in all
ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")
LARGEST_MESSAGE = 25 * 1024 * 1024


@dataclass(slots=True)
class Mail:
    """One accepted message. ``id`` is the Message-Id without angle brackets."""

    id: str
    domain: str
    sender: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    subject: str
    text: str
    html: str
    tags: list[str]
    headers: dict[str, str]
    variables: dict[str, str]
    attachments: list[dict[str, Any]]
    time: float = field(default_factory=time.time)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def recipients(self) -> list[str]:
        return [address for _, address in getaddresses([*self.to, *self.cc, *self.bcc])]

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "from": self.sender,
            "to": self.to,
            "cc": self.cc,
            "bcc": self.bcc,
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "tags": self.tags,
            "headers": self.headers,
            "variables": self.variables,
            "attachments": self.attachments,
            "time": self.time,
            "events": [{"event": e["event"], "recipient": e["recipient"], "time": e["timestamp"]} for e in self.events],
        }


@dataclass(slots=True)
class Delivery:
    """What became of one webhook: the answers so far (0 = nobody there) and whether it is done, refused or given up."""

    event_id: str
    event: str
    answers: list[int] = field(default_factory=list)
    state: str = "sending"

    def as_json(self) -> dict[str, Any]:
        return {"event_id": self.event_id, "event": self.event, "answers": self.answers, "state": self.state}


class Mailgun(Vendor):
    """The Messages and Events APIs of one Mailgun domain, and its webhooks.

    ``auto_events`` are sent by themselves after each mail; ``retry_delays_s`` are the waits between a webhook's tries.
    """

    name = "mailgun"
    version = "v3"

    def __init__(
        self,
        faults: Faults,
        *,
        domain: str = "mail.anchor.test",
        api_key: str = "key-local",
        signing_key: str = "signing-key-local",
        webhook_url: str = "",
        auto_events: Iterable[str] = (),
        retry_delays_s: Iterable[float] = RETRY_AFTER_S,
        port: int = 0,
    ):
        super().__init__(faults, port=port)
        self.domain, self.api_key, self.signing_key = domain, api_key, signing_key
        self.webhook_url = webhook_url
        self.auto_events, self.retry_delays_s = tuple(auto_events), tuple(retry_delays_s)
        self.mails: list[Mail] = []
        self.events: list[dict[str, Any]] = []
        self.deliveries: list[Delivery] = []

    def settings(self) -> dict[str, str]:
        return {"MAILGUN_API_BASE": self.url, "MAILGUN_DOMAIN": self.domain}

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/v3/{domain}/messages", self._send, methods=["POST"]),
            Route("/v3/{domain}/events", self._events, methods=["GET"]),
            Route("/v3/{domain}/events/{page}", self._events, methods=["GET"]),
        ]

    def error_response(self, status: int, message: str) -> Response:
        if status == 401:
            return PlainTextResponse("Forbidden", 401)
        return JSONResponse({"message": message}, status)

    def mail(self, mail_id: str) -> Mail:
        """The mail with this id, with or without angle brackets, or 404."""
        for mail in self.mails:
            if mail.id == mail_id.strip("<>"):
                return mail
        raise Refused(404, "Mail not found")

    def clear(self) -> None:
        """Forget every mail and event; webhooks on their way still arrive."""
        self.mails.clear()
        self.events.clear()
        self.deliveries.clear()

    def happen(self, mail: Mail, event: str, **details: Any) -> dict[str, Any]:
        """Let *event* happen to a mail: list it, and send its webhook in the background.

        ``details``: recipient, severity (of ``failed``), reason, code, description, url, ip, timestamp, id.
        """
        recipient = details.pop("recipient", None) or (mail.recipients or [""])[0]
        data = event_data(mail, event, recipient, **details)
        self.events.append(data)
        mail.events.append(data)
        if self.webhook_url:
            delivery = Delivery(data["id"], event)
            self.deliveries.append(delivery)
            self.soon(self._deliver(data, delivery))
        return data

    def signature(self) -> dict[str, str]:
        """A fresh timestamp and token, signed. The body is not covered, as at Mailgun."""
        timestamp, token = str(int(time.time())), secrets.token_hex(25)
        digest = hmac.new(self.signing_key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
        return {"timestamp": timestamp, "token": token, "signature": digest}

    async def _deliver(self, data: dict[str, Any], delivery: Delivery) -> None:
        body = json.dumps({"signature": self.signature(), "event-data": data}).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "mailgun/treq-20.9.0"}
        for delay in (*self.retry_delays_s, None):
            try:
                answer = (await self.http.post(self.webhook_url, content=body, headers=headers)).status_code
            except httpx.TransportError:
                answer = 0
            delivery.answers.append(answer)
            if answer in (TAKEN, REFUSED):
                delivery.state = "done" if answer == TAKEN else "refused"
                return
            if delay is not None:
                await asyncio.sleep(delay)
        delivery.state = "given up"

    async def _send(self, request: Request) -> Response:
        self._signed_in(request)
        async with request.form(max_fields=2000) as form:
            mail = await self._accept(form)
        self.mails.append(mail)
        for recipient in mail.recipients:
            self.happen(mail, "accepted", recipient=recipient)
            for event in self.auto_events:
                self.happen(mail, event, recipient=recipient)
        return JSONResponse({"id": f"<{mail.id}>", "message": "Queued. Thank you."})

    async def _accept(self, form: FormData) -> Mail:
        sender = _text(form, "from")
        if not sender:
            raise Refused(400, "from parameter is missing")
        if not _texts(form, "to"):
            raise Refused(400, "to parameter is missing")
        for name in ("from", "to", "cc", "bcc"):
            given = [address for _, address in getaddresses(_texts(form, name))]
            if not all(ADDRESS.fullmatch(address) for address in given):
                raise Refused(400, f"{name} parameter is not a valid address. please check documentation")
        attachments: list[dict[str, Any]] = [
            {"filename": file.filename, "content_type": file.content_type, "size": len(await file.read())}
            for name in ("attachment", "inline")
            for file in form.getlist(name)
            if isinstance(file, UploadFile)
        ]
        text, html = _text(form, "text"), _text(form, "html")
        if not (text or html or attachments):
            raise Refused(400, "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified")
        if len(text) + len(html) + sum(file["size"] for file in attachments) > LARGEST_MESSAGE:
            raise Refused(413, "Message is too big")
        headers = _prefixed(form, "h:")
        given_id = next((value for name, value in headers.items() if name.lower() == "message-id"), "")
        made_id = f"{time.strftime('%Y%m%d%H%M%S', time.gmtime())}.{secrets.token_hex(8)}@{self.domain}"
        return Mail(
            id=given_id.strip().strip("<>") or made_id,
            domain=self.domain,
            sender=sender,
            to=_texts(form, "to"),
            cc=_texts(form, "cc"),
            bcc=_texts(form, "bcc"),
            subject=_text(form, "subject"),
            text=text,
            html=html,
            tags=_texts(form, "o:tag"),
            headers=headers,
            variables=_prefixed(form, "v:"),
            attachments=attachments,
        )

    async def _events(self, request: Request) -> Response:
        self._signed_in(request)
        query, offset = dict(request.query_params), 0
        if "page" in request.path_params:
            query, offset = _unpack(request.path_params["page"])
        limit = whole_number(query, "limit", default=100, most=300)
        found = _ordered([event for event in self.events if _fits(event, query)], query)
        items = found[max(offset, 0) : max(offset, 0) + limit] if offset >= 0 else []
        base = f"{self.url}/v3/{self.domain}/events"
        last = max(0, (len(found) - 1) // limit * limit)
        paging = {
            "next": f"{base}/{_pack(query, offset + len(items))}",
            "previous": f"{base}/{_pack(query, offset - limit)}",
            "first": f"{base}/{_pack(query, 0)}",
            "last": f"{base}/{_pack(query, last)}",
        }
        return JSONResponse({"items": items, "paging": paging})

    def _signed_in(self, request: Request) -> None:
        given = basic_credentials(request)
        if given is None or given[0] != "api" or not same(given[1], self.api_key):
            raise Refused(401, "Forbidden")
        if request.path_params["domain"] != self.domain:
            raise Refused(404, f"Domain not found: {request.path_params['domain']}")


def event_data(mail: Mail, event: str, recipient: str, **details: Any) -> dict[str, Any]:
    """The ``event-data`` of a webhook, which is also an item of the Events API."""
    if event not in EVENTS:
        raise Refused(400, f"event must be one of {', '.join(EVENTS)}")
    severity = details.get("severity", "permanent") if event == "failed" else None
    if severity not in (None, "permanent", "temporary"):
        raise Refused(400, "severity must be permanent or temporary")
    _, from_address = getaddresses([mail.sender])[0]
    data: dict[str, Any] = {
        "id": details.get("id") or secrets.token_urlsafe(16),
        "event": event,
        "timestamp": details.get("timestamp") or time.time(),
        "log-level": {"failed": "error" if severity == "permanent" else "warn", "complained": "warn"}.get(
            event, "info"
        ),
        "recipient": recipient,
        "recipient-domain": recipient.rpartition("@")[2],
        "tags": mail.tags,
        "campaigns": [],
        "user-variables": mail.variables,
        "flags": {"is-routed": False, "is-authenticated": True, "is-system-test": False, "is-test-mode": False},
        "message": {
            "headers": {"to": ", ".join(mail.to), "message-id": mail.id, "from": mail.sender, "subject": mail.subject},
            "attachments": mail.attachments,
            "size": len(mail.text) + len(mail.html),
        },
    }
    if event in ("accepted", "delivered", "failed"):
        data["envelope"] = {
            "transport": "smtp",
            "sender": from_address,
            "sending-ip": "198.51.100.7",
            "targets": recipient,
        }
    if event == "delivered":
        data["delivery-status"] = _delivery_status(250, "OK", details.get("description", ""))
    if event == "failed":
        permanent = severity == "permanent"
        data["severity"] = severity
        data["reason"] = details.get("reason") or ("bounce" if permanent else "generic")
        code = int(details.get("code") or (550 if permanent else 421))
        words = "5.1.1 The email account does not exist" if permanent else "4.2.1 Try again later"
        data["delivery-status"] = _delivery_status(code, details.get("message") or words, "", retry=not permanent)
    if event in ("opened", "clicked", "unsubscribed"):
        data["ip"] = details.get("ip") or "203.0.113.9"
        data["geolocation"] = {"country": "US", "region": "CA", "city": "San Francisco"}
        data["client-info"] = {
            "client-type": "browser",
            "client-os": "Linux",
            "device-type": "desktop",
            "client-name": "Chrome",
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64)",
        }
    if event == "clicked":
        data["url"] = details.get("url") or "https://example.com/"
    return data


def _delivery_status(code: int, message: str, description: str, *, retry: bool = False) -> dict[str, Any]:
    status: dict[str, Any] = {
        "code": code,
        "message": message,
        "description": description,
        "mx-host": "mx.example.com",
        "session-seconds": 0.42,
        "attempt-no": 1,
        "utf8": True,
        "tls": True,
        "certificate-verified": True,
    }
    return {**status, "retry-seconds": 600} if retry else status


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _texts(form: FormData, name: str) -> list[str]:
    return [value for value in form.getlist(name) if isinstance(value, str) and value]


def _prefixed(form: FormData, prefix: str) -> dict[str, str]:
    return {name[2:]: value for name, value in form.multi_items() if name.startswith(prefix) and isinstance(value, str)}


FILTERS: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "event": lambda event: [event["event"]],
    "message-id": lambda event: [event["message"]["headers"]["message-id"]],
    "recipient": lambda event: [event["recipient"]],
    "to": lambda event: [event["recipient"]],
    "from": lambda event: [event["message"]["headers"]["from"]],
    "subject": lambda event: [event["message"]["headers"]["subject"]],
    "severity": lambda event: [event.get("severity", "")],
    "tags": lambda event: event["tags"],
}


def _fits(event: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Whether an event passes every filter; ``a OR b`` is either, a time range is from ``begin`` to ``end``."""
    for name, values in FILTERS.items():
        wanted = [part.strip().strip("<>\"'") for part in query.get(name, "").split(" OR ") if part.strip()]
        if wanted and not any(want in values(event) for want in wanted):
            return False
    begin, end = _moment(query, "begin"), _moment(query, "end")
    low, high = sorted((begin if begin is not None else -1.0, end if end is not None else float("inf")))
    if begin is not None and end is None and not _ascending(query):
        low, high = -1.0, begin
    return bool(low <= event["timestamp"] <= high)


def _ordered(events: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    return sorted(events, key=lambda event: event["timestamp"], reverse=not _ascending(query))


def _ascending(query: Mapping[str, str]) -> bool:
    begin, end = _moment(query, "begin"), _moment(query, "end")
    if begin is not None and end is not None:
        return begin <= end
    return query.get("ascending", "no") == "yes"


def _moment(query: Mapping[str, str], name: str) -> float | None:
    """Seconds since the epoch, from a number or an RFC 2822 date."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError as error:
        raise Refused(400, f"{name} is neither an epoch time nor an RFC 2822 date") from error


def _pack(query: Mapping[str, str], offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([dict(query), offset]).encode()).decode().rstrip("=")


def _unpack(page: str) -> tuple[dict[str, str], int]:
    try:
        query, offset = json.loads(base64.urlsafe_b64decode(page + "=" * (-len(page) % 4)))
        return dict(query), int(offset)
    except (ValueError, TypeError) as error:
        raise Refused(400, "Invalid page") from error
