"""Who changed which account: the trail of administration, beside that of sign-in. Never a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from shared.db import audit_trail
from shared.db.database import Executor


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, and from where."""

    id: UUID
    role: str  # effective
    ip: str
    user_agent: str
    session_id: UUID
    impersonator_id: UUID | None = None  # the admin who has signed in as this person


class User(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def effective_role(self) -> str: ...
    @property
    def session_id(self) -> UUID: ...
    @property
    def impersonator_id(self) -> UUID | None: ...


class Call(Protocol):
    """A signed-in person's request (``runtime.endpoint``)."""

    @property
    def user(self) -> User: ...
    @property
    def ip(self) -> str: ...
    @property
    def user_agent(self) -> str: ...


def actor_of(call: Call) -> Actor:
    """Whoever sends a request."""
    user = call.user
    return Actor(
        id=user.id,
        role=user.effective_role,
        ip=call.ip,
        user_agent=call.user_agent,
        session_id=user.session_id,
        impersonator_id=user.impersonator_id,
    )


async def record(db: Executor, actor: Actor | None, event: str, about: UUID, **details: object) -> None:
    """Keep one event about a user, in the transaction of what it tells; *actor* None: whoever held their link."""
    await audit_trail.keep(
        db,
        "account",
        event,
        {"target_user_id": str(about), **details},
        user_id=actor.id if actor else about,
        session_id=actor.session_id if actor else None,
        ip=actor.ip if actor else None,
        user_agent=actor.user_agent if actor else None,
    )
