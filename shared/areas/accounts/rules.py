"""Pure rules of sign-in: one-time codes, whether a second factor is needed, devices, roles, addresses.

Nothing here reads a clock or a database: the time and the facts are arguments.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

Reason = Literal[
    "new_device", "new_ip", "new_country", "inactivity", "sensitive_action", "always_required", "password_login"
]
Method = Literal["email_otp", "totp"]

# --- tokens and codes -------------------------------------------------------------------------------------------------

_BACKUP_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that looks like something else
BACKUP_CODES: Final = 10


def new_token() -> str:
    """A secret of 256 bits, 43 characters: refresh tokens, device secrets, sign-in states."""
    return secrets.token_urlsafe(32)


def successor(key: bytes, refresh_token: str) -> str:
    """The refresh token that follows *refresh_token*: nobody can tell it without the key, and whoever exchanges the
    same token at the same instant gets the same one, on whatever instance."""
    digest = hmac.digest(key, f"refresh:{refresh_token}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def new_link_token() -> str:
    """A secret of 256 bits in 64 hex digits, as mailed links carry it."""
    return secrets.token_hex(32)


def token_hash(token: str) -> str:
    """What is stored of a token. A plain hash will do: nobody can try 2^256 tokens."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_code() -> str:
    """Six digits, every one of the million as likely."""
    return f"{secrets.randbelow(1_000_000):06d}"


def code_hash(key: bytes, purpose: str, code: str) -> str:
    """What is stored of a code, for one purpose (a challenge, a user's backup codes). Keyed: codes are few."""
    return hmac.new(key, f"{purpose}:{code}".encode(), hashlib.sha256).hexdigest()


def same(given: str, expected: str) -> bool:
    """Equal, in a time that does not tell how far."""
    return hmac.compare_digest(given.encode(), expected.encode())


def new_backup_codes() -> list[str]:
    """Ten codes of ten characters (49 bits each), written ``abcde-fghjk``."""
    texts = ("".join(secrets.choice(_BACKUP_ALPHABET) for _ in range(10)) for _ in range(BACKUP_CODES))
    return [f"{text[:5]}-{text[5:]}" for text in texts]


def clean_code(text: str) -> str:
    """A code as people type or paste it, without spaces and dashes, in lower case."""
    return re.sub(r"[\s-]", "", text).lower()


def totp_step(moment: datetime) -> int:
    """The 30-second step of an authenticator app (RFC 6238)."""
    return int(moment.timestamp()) // 30


def matching_step(secret: str, code: str, moment: datetime, last_step: int | None) -> int | None:
    """The step whose code this is, one step early or late allowed; None when it is none, or none after *last_step*."""
    import pyotp

    app = pyotp.TOTP(secret)
    now = totp_step(moment)
    steps = [step for step in (now - 1, now, now + 1) if last_step is None or step > last_step]
    found = [step for step in steps if same(app.generate_otp(step), code)]
    return found[0] if found else None


# --- the second factor ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What is known about a sign-in whose password was right."""

    always: bool  # the account asks for a code each time
    trusted: bool  # the browser proved that it is a trusted device, unexpired and not revoked
    same_fingerprint: bool  # and still looks like the one that was trusted
    known_device: bool  # this device has signed in to this account before
    known_network: bool  # so has this network
    failures: int  # wrong passwords since the last success
    last_activity_at: datetime | None


SUSPICIOUS_FAILURES: Final = 3


def reason_for_code(signs: Signs, *, now: datetime, inactivity: timedelta) -> Reason | None:
    """Why this sign-in needs a one-time code; None when the device's trust is enough.

    Without a trusted device there is always a code. With one, there is when something is suspicious: it looks different
    now (a copied cookie), the account slept for long, or somebody was guessing and the right password comes from a
    network never seen.
    """
    if signs.always:
        return "always_required"
    if not signs.known_device and not signs.trusted:
        return "new_device"
    if not signs.trusted:
        return "password_login"
    if not signs.same_fingerprint:
        return "new_device"
    if signs.last_activity_at is None or now - signs.last_activity_at > inactivity:
        return "inactivity"
    if signs.failures >= SUSPICIOUS_FAILURES and not signs.known_network:
        return "new_ip"
    return None


def mask_email(email: str) -> str:
    """``j***n@e***.**``: enough to know the mailbox by, no more."""
    local, _, domain = email.partition("@")
    shown = f"{local[:1]}*" if len(local) <= 2 else f"{local[0]}{'*' * (len(local) - 2)}{local[-1]}"
    return f"{shown}@{domain[:1]}***.**"


# --- devices and networks ---------------------------------------------------------------------------------------------

_VERSION: Final = re.compile(r"[\d._]+")


def fingerprint(user_agent: str, accept_language: str) -> str:
    """What a browser looks like, in 32 hex digits. Versions are left out: an update makes no new device."""
    look = f"{_VERSION.sub('', user_agent)}|{accept_language}"
    return hashlib.sha256(look.encode()).hexdigest()[:32]


_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """``Firefox on Windows``: what people recognise in a list."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "Unknown browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return f"{browser} on {system}" if system else browser


def network(ip: str) -> str:
    """The network that an address belongs to: /24 of IPv4, /64 of IPv6, as PostgreSQL reads it."""
    bits = 24 if ipaddress.ip_address(ip).version == 4 else 64
    return str(ipaddress.ip_network(f"{ip}/{bits}", strict=False))


def limit_subject(ip: str) -> str:
    """What limits per address count by: an IPv6 caller owns a whole /64."""
    return ip if ipaddress.ip_address(ip).version == 4 else network(ip)


# --- roles ------------------------------------------------------------------------------------------------------------

_RANK: Final = {"client": 0, "team": 1, "admin": 2, "superadmin": 3}


def effective(role: str | None) -> str:
    """A role with its legacy names translated."""
    return {"editor": "admin", None: "client", "": "client"}.get(role, role or "client")


def may_impersonate(admin: str, target: str) -> bool:
    """Only somebody below oneself: effective roles."""
    return admin in ("admin", "superadmin") and _RANK.get(target, 0) < _RANK[admin]


# --- addresses --------------------------------------------------------------------------------------------------------


def return_path(text: str | None) -> str:
    """Where to go after signing in elsewhere: a path of ours, else the start page."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")):
        return "/"
    return text if all(31 < ord(c) < 127 and c != "\\" for c in text) else "/"


def without_secrets(details: dict[str, object]) -> dict[str, object]:
    """Audit details without whatever a name says is secret."""
    return {name: value for name, value in details.items() if not _is_secret(name)}


_SECRET_WORDS: Final[Sequence[str]] = (
    *("password", "token", "secret", "key", "hash", "otp", "code", "credential", "authorization", "cookie"),
)


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)
