"""What Mailgun posts to us: proof that it is Mailgun, and the event in one normal form.

Source: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks. The signature covers a timestamp and a
token, not the body: the token must be spent in the commit that stores the event, or the proof could be used again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from shared.errors import Problem
from shared.integrations.mailgun.client import bracketed

MAX_AGE_S = 9 * 3600  # Mailgun repeats a refused post for about eight hours; one hour for slow clocks and queues
MAX_AHEAD_S = 300

Kind = Literal[
    "accepted",
    "delivered",
    "opened",
    "clicked",
    "failed_permanent",
    "failed_temporary",
    "complained",
    "unsubscribed",
    "other",
]


class BadProof(Problem):
    """406: Mailgun takes it as *refused* and does not repeat the post."""

    status, code = 406, "BAD_SIGNATURE"


def verify(signature: object, key: bytes, *, now: datetime, max_age_s: float = MAX_AGE_S) -> str:
    """The token of a genuine ``{timestamp, token, signature}``, to be spent; BadProof for any other.

    ``signature`` is hex HMAC-SHA256 of timestamp and token under the webhook signing key. Without a key all is refused.
    """
    told = signature if isinstance(signature, Mapping) else {}
    timestamp, token, given = (_plain(told.get(name)) for name in ("timestamp", "token", "signature"))
    if not key or not token or not given or not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise BadProof("The signature is missing or incomplete.")
    right = hmac.new(key, f"{timestamp}{token}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right.encode(), given.lower().encode("utf-8", "replace")):
        raise BadProof("The signature is wrong.")
    if not -MAX_AHEAD_S <= now.timestamp() - int(timestamp) <= max_age_s:
        raise BadProof("The signature is too old.", code="STALE_SIGNATURE")
    return token


def _plain(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailEvent:
    """One thing that happened to one mail.

    ``message_id`` in angle brackets, as stored at sending. ``code`` and ``reason`` say why a mail failed. ``details``
    holds what the log's detail view prints, and nothing else of what Mailgun sent.
    """

    event_id: str
    kind: Kind
    name: str  # Mailgun's own word
    occurred_at: datetime
    message_id: str | None = None
    recipient: str | None = None
    code: str | None = None
    reason: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)  # what we gave the mail along

    def details_json(self) -> dict[str, Any]:
        """The details with ``code`` and ``reason``, as they are stored with the event."""
        failed = {"code": self.code, "reason": self.reason}
        return {**self.details, **{key: value for key, value in failed.items() if value is not None}}


_DELIVERY = (
    "code",
    "message",
    "description",
    "mx-host",
    "session-seconds",
    "utf8",
    "attempt-no",
    "certificate-verified",
    "tls",
)
_ENVELOPE = ("transport", "sender", "sending-ip", "targets")
_CLIENT = ("client-name", "client-os", "client-type", "device-type", "user-agent")
_PLACE = ("city", "country", "region")
_PERMANENT = ("bounced", "dropped")  # words of Mailgun's older webhooks
_SIMPLE: dict[str, Kind] = {
    "accepted": "accepted",
    "delivered": "delivered",
    "opened": "opened",
    "clicked": "clicked",
    "complained": "complained",
    "unsubscribed": "unsubscribed",
}


def parse(event_data: Mapping[str, Any], *, now: datetime) -> MailEvent:
    """The normal form of Mailgun's ``event-data``; what is missing or odd is left out, *now* stands in for no time."""
    name = _text(event_data.get("event")) or "unknown"
    kind = _kind(name, event_data)
    delivery = _part(event_data, "delivery-status")
    failed = kind in ("failed_permanent", "failed_temporary")
    code = _text(delivery.get("code")) or _text(event_data.get("reason"))
    said = (delivery.get("message"), delivery.get("description"), event_data.get("reason"))
    return MailEvent(
        event_id=_text(event_data.get("id")) or _digest(event_data),
        kind=kind,
        name=name,
        occurred_at=_time(event_data.get("timestamp")) or now,
        message_id=bracketed(_text(_part(event_data, "message", "headers").get("message-id"))),
        recipient=_text(event_data.get("recipient")),
        code=code if failed else None,
        reason=next(filter(None, map(_text, said)), None) if failed else None,
        details=_details(kind, event_data, delivery),
        variables=_variables(_part(event_data, "user-variables")),
    )


def _kind(name: str, event_data: Mapping[str, Any]) -> Kind:
    severity = _text(event_data.get("severity"))
    if name in _PERMANENT:
        return "failed_temporary" if severity == "temporary" else "failed_permanent"
    if name == "failed":
        return "failed_permanent" if severity == "permanent" else "failed_temporary"
    return _SIMPLE.get(name, "other")


def _details(kind: Kind, event_data: Mapping[str, Any], delivery: Mapping[str, Any]) -> dict[str, Any]:
    client = _picked(_part(event_data, "client-info"), _CLIENT)
    reading = {
        "client_info": client,
        "device_type": client.get("device_type"),
        "geolocation": _picked(_part(event_data, "geolocation"), _PLACE),
        "ip": _text(event_data.get("ip")),
    }
    transport = {
        **_picked(delivery, _DELIVERY),
        "envelope": _picked(_part(event_data, "envelope"), _ENVELOPE),
        "flags": {key: value for key, value in _part(event_data, "flags").items() if _is_flag(key, value)},
    }
    match kind:
        case "delivered":
            found: dict[str, Any] = transport
        case "failed_permanent" | "failed_temporary":
            found = {**transport, "severity": kind.removeprefix("failed_")}
        case "opened":
            found = reading
        case "clicked":
            found = {**reading, "clicked_url": _text(event_data.get("url"))}
        case _:
            found = {}
    return {key: value for key, value in found.items() if value not in (None, {}, "")}


def _is_flag(key: object, value: object) -> bool:
    return isinstance(key, str) and re.fullmatch(r"[a-z0-9-]{1,40}", key) is not None and isinstance(value, bool)


def _part(value: object, *path: str) -> Mapping[str, Any]:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _picked(part: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """The listed keys with underscores, where they hold a plain value."""
    picked: dict[str, Any] = {}
    for key in keys:
        value = part.get(key)
        if isinstance(value, str):
            value = _text(value)
        if isinstance(value, float) and not math.isfinite(value):
            value = None
        if isinstance(value, str | int | float) and not (isinstance(value, int) and abs(value) > 2**53):
            picked[key.replace("-", "_")] = value
    return picked


def _variables(told: Mapping[str, Any]) -> dict[str, str]:
    named = ((key, _text(value)) for key, value in told.items() if isinstance(key, str) and len(key) <= 100)
    return {key: value for key, value in named if value}


def _text(value: object) -> str | None:
    """A text that can be stored; a number as text; None for anything else, and for words that only mean *nothing*."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, int | float) and not abs(value) < 2**53:
        return None
    text = re.sub("[\x00\ud800-\udfff]", "", str(value)).strip()[:1000]
    return None if text in ("", "undefined", "null", "None") else text


def _time(value: object) -> datetime | None:
    """Seconds since 1970, perhaps with a fraction, perhaps as text."""
    try:
        seconds = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
        return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 10**11 else None
    except (ValueError, OverflowError):
        return None


def _digest(event_data: Mapping[str, Any]) -> str:
    """An id for an event without one: the same for the same event."""
    text = json.dumps(event_data, sort_keys=True, default=str)
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
