"""OAuth 2.0 over HTTP: what connecting an account (``client``) and signing in (``integrations.openid``) both do.

Errors name the vendor and carry no body: TryLater when it cannot be reached, or what it says cannot be read.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from shared.errors import TryLater

if TYPE_CHECKING:
    import httpx


def connect(timeout_s: float) -> httpx.AsyncClient:
    """A connection pool for all vendors."""
    import httpx

    return httpx.AsyncClient(timeout=timeout_s, headers={"Accept": "application/json"})


def challenge(verifier: str) -> dict[str, str]:
    """What the authorization request says of a PKCE verifier (RFC 7636 §4.2, S256)."""
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return {"code_challenge": hashed, "code_challenge_method": "S256"}


async def send(http: httpx.AsyncClient, vendor: str, method: str, url: str, **request: Any) -> httpx.Response:
    """The vendor's answer, whatever its status."""
    import httpx

    try:
        return await http.request(method, url, **request)
    except httpx.RequestError as error:
        raise TryLater(vendor, reason=type(error).__name__) from error


def read_object(vendor: str, answer: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object. What is none is TryLater where the status was good, and empty where it says enough."""
    try:
        told = answer.json() if answer.content else {}
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, dict):
        return told
    if answer.is_success:
        raise TryLater(vendor, status=answer.status_code, reason="unreadable answer")
    return {}
