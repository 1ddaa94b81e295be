"""Who is calling, and may they: the one place where access levels are enforced.

People: an access token (HS256 JWT: ``sub`` user, ``sid`` session, ``type`` "access") in ``Authorization``, which API
Gateway moves to ``X-Forwarded-Authorization``; or, for links and pages older than their token, the first-party cookie
``session`` holding such a token, accepted on writes only from our own origins. The session and its user are looked up
in one statement together with the client that an admin acts for (``x-acting-user``).

Machines (tasks, events, schedules): Cloud Run's IAM check admits only our invoker and verifies its OIDC token before
the request reaches us (it then strips the signature), so the function compares the token's e-mail with the invoker's.

Source: spec api-accounts §0.
"""

from __future__ import annotations

import base64
import ipaddress
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.errors import Forbidden, Invalid, NotFound, Unauthorized
from shared.manifest import ADMIN, AUTH, INTERNAL, LINK, PORTAL, PUBLIC, STAFF, SUPER, Access
from shared.runtime.services import Services

if TYPE_CHECKING:
    from starlette.requests import Request

_ROLES: dict[Access, frozenset[str]] = {
    AUTH: frozenset({"superadmin", "admin", "team", "client"}),
    PORTAL: frozenset({"superadmin", "admin", "team", "client"}),
    STAFF: frozenset({"superadmin", "admin", "team"}),
    ADMIN: frozenset({"superadmin", "admin"}),
    SUPER: frozenset({"superadmin"}),
}
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class User:
    """The signed-in person. ``effective_role`` is the role with its legacy name translated."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    role: str
    effective_role: str
    session_id: UUID

    @property
    def is_admin(self) -> bool:
        return self.effective_role in _ROLES[ADMIN]


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller, and the client whose data the call is about (the caller's own unless an admin acts for one)."""

    user: User | None = None
    subject_id: UUID | None = None


_WHO = """
select s.id as session_id, s.revoked_at, s.refresh_expiry_at, s.absolute_expiry_at,
       u.id, u.email::text as email, u.first_name, u.last_name, u.role, acted.id as acting_for
from (select $1::uuid as sid, $2::uuid as uid) token
left join user_sessions s on s.id = token.sid and s.user_id = token.uid
left join users u on u.id = token.uid
left join users acted on acted.id = $3 and acted.role = 'client'
"""


async def identify(request: Request, access: Access, services: Services) -> Identity:
    """The caller of *request*, when *access* admits them; else Unauthorized, Forbidden or NotFound."""
    if access in (PUBLIC, LINK):
        return Identity()
    if access is INTERNAL:
        _require_invoker(request, services.settings.invoker_email)
        return Identity()
    claims = await _claims(request, services)
    acting = _acting_for(request) if access is PORTAL else None
    [row] = await services.db.fetch(_WHO, claims["sid"], claims["sub"], acting)
    user = _user(row)
    if user.effective_role not in _ROLES[access]:
        raise Forbidden("You do not have access to this.")
    if acting is None or acting == user.id:
        return Identity(user, user.id)
    if not user.is_admin:
        raise Forbidden("Only an admin may act for a client.")
    if row["acting_for"] is None:
        raise NotFound("There is no such client.")
    return Identity(user, acting)


def _user(row: Any) -> User:
    if row["id"] is None:
        raise Unauthorized("This account no longer exists.", code="USER_NOT_FOUND")
    reason = _ended(row)
    if reason:
        raise Unauthorized("Your session has ended. Please sign in again.", code="SESSION_INVALID", reason=reason)
    role = row["role"] or "client"
    return User(
        id=row["id"],
        email=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        role=role,
        effective_role="admin" if role == "editor" else role,
        session_id=row["session_id"],
    )


def _ended(row: Any) -> str | None:
    now = datetime.now(UTC)
    if row["session_id"] is None:
        return "not_found"
    if row["revoked_at"] is not None:
        return "revoked"
    if row["absolute_expiry_at"] <= now:
        return "absolute_expiry"
    return "expired" if row["refresh_expiry_at"] <= now else None


async def _claims(request: Request, services: Services) -> dict[str, UUID]:
    gateway = services.settings.behind_gateway  # then Authorization holds the gateway's own token
    header = request.headers.get("x-forwarded-authorization" if gateway else "authorization", "")
    scheme, _, token = header.partition(" ")
    found = scheme.lower() == "bearer" and bool(token)
    key = await services.secrets.get("JWT_SECRET")
    claims = _read(token, key) if found else None
    cookie = request.cookies.get("session")
    if claims is None and cookie and _from_our_pages(request, services):
        claims = _read(cookie, key)
    if claims is not None:
        return claims
    if found or cookie:
        raise Unauthorized("Your session has expired. Please sign in again.")
    raise Unauthorized("Please sign in.", code="NO_TOKEN")


def _read(token: str, key: str) -> dict[str, UUID] | None:
    """The user and session ids of a valid access token, else None."""
    import jwt

    try:
        claims = jwt.decode(token, key, algorithms=["HS256"], options={"require": ["exp", "sub", "sid"]})
        if claims.get("type") != "access":
            return None
        return {"sub": UUID(claims["sub"]), "sid": UUID(claims["sid"])}
    except (jwt.InvalidTokenError, ValueError, AttributeError, TypeError):
        return None


def _from_our_pages(request: Request, services: Services) -> bool:
    """A cookie is sent by the browser whoever's page asks: on writes the page must be ours."""
    if request.method in _SAFE_METHODS:
        return True
    origin = request.headers.get("origin")
    if origin is not None:
        return origin.rstrip("/") in services.settings.allowed_origins
    return request.headers.get("sec-fetch-site") == "same-origin"


def _acting_for(request: Request) -> UUID | None:
    text = request.headers.get("x-acting-user", "").strip()
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Invalid.field("x-acting-user", "must be the id of a client") from None


def _require_invoker(request: Request, invoker_email: str) -> None:
    header = request.headers.get("authorization", "")
    parts = header.removeprefix("Bearer ").split(".")
    if not header.startswith("Bearer ") or len(parts) != 3:
        raise Unauthorized("Only our own queues, topics and schedules may call this.", code="NO_TOKEN")
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        email = json.loads(base64.urlsafe_b64decode(padded)).get("email")
    except (ValueError, AttributeError):
        email = None
    if email != invoker_email:
        raise Unauthorized("Only our own queues, topics and schedules may call this.", code="TOKEN_INVALID")


def client_ip(request: Request, hops: int) -> str:
    """The caller's address as seen by the outermost proxy we trust; entries before it are the caller's own words.

    ``hops`` proxies append to X-Forwarded-For, so the address is the *hops*-th entry from the end.
    """
    peer = request.client.host if request.client else "0.0.0.0"
    entries = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
    chosen = entries[-hops] if 0 < hops <= len(entries) else peer
    try:
        return str(ipaddress.ip_address(chosen))
    except ValueError:
        return peer
