"""Access tokens: short-lived proof of a session, signed by us (JWT, HS256).

Claims: ``sub`` user id, ``sid`` session id, ``role``, ``eff`` effective role, ``type`` "access", ``iat``, ``exp``. The
same token, made to last longer, is the value of the cookie ``session``. Nobody trusts a token alone: who reads one also
looks its session up. Source: spec api-accounts §0.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic_core import to_json

if TYPE_CHECKING:
    import jwt


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
    return _signer().encode(to_json(claims), key, algorithm="HS256")


def read(token: str, key: str, *, now: datetime) -> Claims | None:
    """What a token signed with *key* says; None for anything else."""
    genuine = _verified(token, key)
    if genuine is None:
        return None
    user_id, session_id, issued_at, expires_at = genuine
    return Claims(user_id, session_id, issued_at, expired=expires_at <= now.timestamp())


@lru_cache(maxsize=4096)
def _verified(token: str, key: str) -> tuple[UUID, UUID, float, float] | None:
    """User, session, and the seconds of issue and expiry. Remembered: a page makes its twenty calls with one token."""
    import jwt

    try:
        claims = json.loads(_signer().decode(token, key, algorithms=["HS256"]))
        if claims["type"] != "access":
            return None
        return UUID(claims["sub"]), UUID(claims["sid"]), float(claims.get("iat", 0)), float(claims["exp"])
    except (jwt.InvalidTokenError, ValueError, AttributeError, TypeError, KeyError):
        return None


@lru_cache(maxsize=1)
def _signer() -> jwt.PyJWS:
    """PyJWT's signing layer for our one algorithm.

    PyJWT asks of every key, at every token, whether it is a public key in disguise; ours is a secret of our own, and
    only HS256 is ever accepted, so that question is left out.
    """
    import jwt
    from jwt.algorithms import HMACAlgorithm

    class OwnKey(HMACAlgorithm):
        def prepare_key(self, key: str | bytes) -> bytes:
            return key.encode() if isinstance(key, str) else key

    signer = jwt.PyJWS(algorithms=[])
    signer.register_algorithm("HS256", OwnKey(HMACAlgorithm.SHA256))
    return signer
