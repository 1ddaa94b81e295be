"""The trail of what people did to workspaces, boards, groups, members, labels, automations and logged time.

That of items is in ``changes``.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from shared.db import audit_trail
from shared.db.database import Executor


class User(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def is_admin(self) -> bool: ...
    @property
    def session_id(self) -> UUID: ...
    @property
    def impersonator_id(self) -> UUID | None: ...


class By(Protocol):
    """A signed-in person's request (``runtime.endpoint.Call``)."""

    @property
    def user(self) -> User: ...
    @property
    def ip(self) -> str: ...
    @property
    def user_agent(self) -> str: ...


async def record(db: Executor, by: By, event: str, about: UUID, **details: object) -> None:
    """Keep one event, in the transaction of what it tells."""
    user = by.user
    if user.impersonator_id is not None:
        details["impersonator_id"] = str(user.impersonator_id)
    await audit_trail.keep(
        db,
        "tasks",
        event,
        {"target_id": str(about), **details},
        user_id=user.id,
        session_id=user.session_id,
        ip=by.ip,
        user_agent=by.user_agent,
    )
