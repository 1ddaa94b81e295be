"""The browser at the other end: its address, its looks, and the device cookie that proves it was here before.

The cookie ``device`` holds ``<device id>.<secret>``, made at the first sign-in and kept for a year. One browser may
serve several people: of each trusted pair (person, device) a hash of person and secret is stored. So the dashboard,
which sends no device id, is recognised, and a device id alone proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID, uuid4

from shared.areas.accounts import rules

COOKIE: Final = "device"
COOKIE_LIFETIME_S: Final = 400 * 86400  # the longest that browsers keep one
_SECRET: Final = re.compile(r"[\w-]{43}", re.ASCII)  # as ``rules.new_token`` makes them


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a request comes from, and the device it is."""

    ip: str
    user_agent: str
    accept_language: str
    told_fingerprint: str
    device_id: UUID
    device_secret: str

    @property
    def fingerprint(self) -> str:
        """What the browser looks like: as its page says, else as its headers do."""
        return self.told_fingerprint or rules.fingerprint(self.user_agent, self.accept_language)

    @property
    def name(self) -> str:
        return rules.device_name(self.user_agent)

    @property
    def cookie(self) -> str:
        return f"{self.device_id}.{self.device_secret}"

    def proof(self, user_id: UUID) -> str:
        """What is stored of this device for one of its people."""
        return rules.token_hash(f"{user_id}:{self.device_id}:{self.device_secret}")


class Told(Protocol):
    """What a request's body may tell of the device; a cookie counts more."""

    @property
    def deviceId(self) -> UUID | None: ...
    @property
    def deviceFingerprint(self) -> str | None: ...


class Request(Protocol):
    @property
    def cookies(self) -> Mapping[str, str]: ...


class Call(Protocol):
    """A request with the address it truly comes from (``runtime.endpoint``)."""

    @property
    def ip(self) -> str: ...
    @property
    def user_agent(self) -> str: ...
    @property
    def request(self) -> Request: ...

    def header(self, name: str) -> str: ...


def recognise(call: Call, told: Told | None = None) -> Browser:
    """The browser of a request. Without the cookie it is a new device, under the id that the caller gives it."""
    known = _read(call.request.cookies.get(COOKIE, ""))
    given = (told and told.deviceId) or _uuid(call.header("x-device-id"))
    looks = (told and told.deviceFingerprint) or call.header("x-device-fingerprint")
    device_id, secret = known or (given or uuid4(), rules.new_token())
    return Browser(
        ip=call.ip,
        user_agent=call.user_agent,
        accept_language=call.header("accept-language"),
        told_fingerprint=looks[:128],
        device_id=device_id,
        device_secret=secret,
    )


def _read(cookie: str) -> tuple[UUID, str] | None:
    text, _, secret = cookie.partition(".")
    device_id = _uuid(text)
    return (device_id, secret) if device_id is not None and _SECRET.fullmatch(secret) else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
