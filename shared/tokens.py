"""Access tokens: short-lived proof of a session, signed by us (JWT, HS256).

Claims: ``sub`` user id, ``sid`` session id, ``role``, ``eff`` effective role, ``type`` "access", ``iat``, ``exp``. The
same token, made to last longer, is the value of the cookie ``session``. Nobody trusts a token alone: who reads one also
looks its session up. Source: spec api-accounts §0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Claims:
    """What a genuine token says. ``expired`` ones still tell whose they were."""

    user_id: UUID
    session_id: UUID
    issued_at: float
    expired: bool


def sign(
    key: str, *, user_id: UUID, session_id: UUID, role: str, effective_role: str, lifetime: timedelta, now: datetime
) -> str:
    """A token of the session, good until ``now + lifetime``."""
    import jwt

    issued = int(now.timestamp())
    claims = {
        "sub": str(user_id),
        "sid": str(session_id),
        "role": role,
        "eff": effective_role,
        "type": "access",
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
    }
    return jwt.encode(claims, key, algorithm="HS256")


def read(token: str, key: str, *, now: datetime) -> Claims | None:
    """What a token signed with *key* says; None for anything else."""
    import jwt

    options = {"require": ["exp", "sub", "sid"], "verify_exp": False, "verify_iat": False}
    try:
        claims = jwt.decode(token, key, algorithms=["HS256"], options=options)  # type: ignore[arg-type]
        if claims.get("type") != "access":
            return None
        moment = now.timestamp()
        return Claims(
            user_id=UUID(claims["sub"]),
            session_id=UUID(claims["sid"]),
            issued_at=float(claims.get("iat", 0)),
            expired=float(claims["exp"]) <= moment,
        )
    except (jwt.InvalidTokenError, ValueError, AttributeError, TypeError):
        return None
