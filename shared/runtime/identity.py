"""Who is calling, and may they: the one place where access levels are enforced.

People: an access token (HS256 JWT: ``sub`` user, ``sid`` session, ``type`` "access") in ``Authorization``, which API
Gateway moves to ``X-Forwarded-Authorization``; or, for links and pages older than their token, the first-party cookie
``session`` holding such a token, accepted on writes only from our own origins. A page whose token has expired is served
by the cookie only while both are the same person's: another tab may have signed in as somebody else. The session and
its user are looked up in one statement together with the client that an admin acts for (``x-acting-user``).

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
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared import tokens
from shared.errors import Forbidden, Invalid, NotFound, Unauthorized
from shared.manifest import (
    ADMIN,
    AUTH,
    INTERNAL,
    LINK,
    PORTAL,
    PORTAL_ADMIN,
    PORTAL_SUPER,
    PUBLIC,
    STAFF,
    SUPER,
    Access,
)
from shared.runtime import headers
from shared.runtime.services import Services

if TYPE_CHECKING:
    from starlette.requests import Request

    from shared.config import Settings

_ROLES: dict[Access, frozenset[str]] = {
    AUTH: frozenset({"superadmin", "admin", "team", "client"}),
    PORTAL: frozenset({"superadmin", "admin", "team", "client"}),
    PORTAL_ADMIN: frozenset({"superadmin", "admin"}),
    PORTAL_SUPER: frozenset({"superadmin"}),
    STAFF: frozenset({"superadmin", "admin", "team"}),
    ADMIN: frozenset({"superadmin", "admin"}),
    SUPER: frozenset({"superadmin"}),
}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_TOUCH_AFTER_S = 300  # a session's last activity is kept to about this, so that most calls write nothing
_SLIDE_AFTER_S = 900  # a cookie older than this is renewed by use


@dataclass(frozen=True, slots=True)
class User:
    """The signed-in person. ``effective_role`` is the role with its legacy name translated.

    ``impersonator_id``: the admin who has signed in as this person, in a session of that kind.
    """

    id: UUID
    email: str
    first_name: str
    last_name: str
    role: str
    effective_role: str
    session_id: UUID
    created_at: datetime
    avatar_url: str | None = None
    onboarding_completed_at: datetime | None = None
    activated_at: datetime | None = None
    impersonator_id: UUID | None = None

    @property
    def is_admin(self) -> bool:
        return self.effective_role in _ROLES[ADMIN]


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller, and the client whose data the call is about (the caller's own unless an admin acts for one).

    ``slides``: the session cookie identified the caller, and has grown old enough to be renewed.
    """

    user: User | None = None
    subject_id: UUID | None = None
    slides: bool = False

    @property
    def acts_for(self) -> UUID | None:
        """The client that an admin acts for."""
        return self.subject_id if self.user is not None and self.subject_id != self.user.id else None


WHO = """
select s.id as session_id, s.revoked_at, s.refresh_expiry_at, s.absolute_expiry_at, s.last_activity_at,
       s.impersonator_id,
       u.id, u.email::text as email, u.first_name, u.last_name, u.role, u.avatar_url, u.created_at,
       p.onboarding_completed_at, p.activated_at, acted.id as acting_for
from (select $1::uuid as sid, $2::uuid as uid) token
left join user_sessions s on s.id = token.sid and s.user_id = token.uid
left join users u on u.id = token.uid
left join client_profiles p on p.user_id = u.id
left join users acted on acted.id = $3 and acted.role = 'client'
"""


async def identify(request: Request, access: Access, services: Services) -> Identity:
    """The caller of *request*, when *access* admits them; else Unauthorized, Forbidden or NotFound."""
    if access in (PUBLIC, LINK):
        return Identity()
    if access is INTERNAL:
        _require_invoker(request, services.settings.invoker_email)
        return Identity()
    now = datetime.now(UTC)
    claims, slides = await _claims(request, services, now)
    acting = _acting_for(request) if access in (PORTAL, PORTAL_ADMIN, PORTAL_SUPER) else None
    [row] = await services.db.fetch(WHO, claims.session_id, claims.user_id, acting)
    user = _user(row, now)
    if (now - row["last_activity_at"]).total_seconds() > _TOUCH_AFTER_S:
        await services.db.execute("update user_sessions set last_activity_at = $2 where id = $1", user.session_id, now)
    if user.effective_role not in _ROLES[access]:
        raise Forbidden("You do not have access to this.")
    if acting is None or acting == user.id:
        return Identity(user, user.id, slides)
    if not user.is_admin:
        raise Forbidden("Only an admin may act for a client.")
    if row["acting_for"] is None:
        raise NotFound("There is no such client.")
    return Identity(user, acting, slides)


def _user(row: Any, now: datetime) -> User:
    if row["id"] is None:
        raise Unauthorized("This account no longer exists.", code="USER_NOT_FOUND")
    reason = _ended(row, now)
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
        created_at=row["created_at"],
        avatar_url=row["avatar_url"],
        onboarding_completed_at=row["onboarding_completed_at"],
        activated_at=row["activated_at"],
        impersonator_id=row["impersonator_id"],
    )


def _ended(row: Any, now: datetime) -> str | None:
    if row["session_id"] is None:
        return "not_found"
    if row["revoked_at"] is not None:
        return "revoked"
    if row["absolute_expiry_at"] <= now:
        return "absolute_expiry"
    return "expired" if row["refresh_expiry_at"] <= now else None


async def _claims(request: Request, services: Services, now: datetime) -> tuple[tokens.Claims, bool]:
    """What the caller's token says, and whether it came in a cookie that is due to be renewed."""
    given = bearer(request, services.settings)
    key = await services.secrets.get("JWT_SECRET")
    told = tokens.read(given, key, now=now) if given else None
    if told is not None and not told.expired:
        return told, False
    cookie = request.cookies.get("session")
    forged = bool(given) and told is None
    if cookie and not forged and from_our_pages(request, services.settings):
        claims = tokens.read(cookie, key, now=now)
        if claims is not None and not claims.expired and (told is None or told.user_id == claims.user_id):
            return claims, now.timestamp() - claims.issued_at > _SLIDE_AFTER_S
    if given or cookie:
        raise Unauthorized("Your session has expired. Please sign in again.")
    raise Unauthorized("Please sign in.", code="NO_TOKEN")


def bearer(request: Request, settings: Settings) -> str:
    """The caller's token, empty when there is none. Behind API Gateway, Authorization holds the gateway's own."""
    header = headers.told(request, b"x-forwarded-authorization" if settings.behind_gateway else b"authorization") or ""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def from_our_pages(request: Request, settings: Settings) -> bool:
    """Whether a request that carries cookies may be believed: a browser sends them whoever's page asks, so a write
    must come from a page of ours."""
    if request.method in SAFE_METHODS:
        return True
    origin = request.headers.get("origin")
    if origin is not None:
        return origin.rstrip("/") in settings.allowed_origins
    return request.headers.get("sec-fetch-site") == "same-origin"


def _acting_for(request: Request) -> UUID | None:
    text = (headers.told(request, b"x-acting-user") or "").strip()
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
    told = [value for name, value in request.scope["headers"] if name == b"x-forwarded-for"]
    forwarded = b",".join(told).decode("latin-1")  # several lines are one list (RFC 9110 §5.3)
    entries = [part.strip() for part in forwarded.split(",") if part.strip()]
    chosen = entries[-hops] if 0 < hops <= len(entries) else peer
    return _address(chosen) or peer


@lru_cache(maxsize=1024)
def _address(text: str) -> str | None:
    """One spelling of an address: an IPv4 address in IPv6's clothes is that IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
