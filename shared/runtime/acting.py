"""Records that an admin acts for a client (``x-acting-user``) or as somebody else (impersonation), before it happens.

Every write is recorded. Reading for a client is so once per session, client and quarter of an hour, so that a page of
twenty calls pays for one insert: an instance remembers what it has recorded, and a second one at worst records it
again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import UUID

from shared.db import audit_trail
from shared.runtime import identity

if TYPE_CHECKING:
    from starlette.requests import Request

    from shared.manifest import Function
    from shared.runtime.identity import Identity, User
    from shared.runtime.services import Services

_READS_S = 900
_KEPT = 4096  # pairs of session and client that an instance remembers

_recorded: dict[tuple[UUID, UUID], float] = {}


async def record(request: Request, who: Identity, function: Function, services: Services) -> None:
    """Keep an audit event when the caller acts for or as somebody else; nothing otherwise."""
    client_id, user = who.acts_for, who.user
    reads = request.method in identity.SAFE_METHODS
    if user is not None and user.impersonator_id is not None and not reads:
        about = {"target": str(user.id)}
        await _insert("acted_while_impersonating", user.impersonator_id, user, about, request, function, services)
    if client_id is None or user is None:
        return
    pair, now = (user.session_id, client_id), time.monotonic()
    if reads and now - _recorded.get(pair, -_READS_S) < _READS_S:
        return
    await _insert("acting_as_client", user.id, user, {"client_id": str(client_id)}, request, function, services)
    if reads:
        if len(_recorded) >= _KEPT:
            _recorded.clear()
        _recorded[pair] = now


async def _insert(
    event: str,
    admin_id: UUID,
    user: User,
    about: dict[str, str],
    request: Request,
    function: Function,
    services: Services,
) -> None:
    await audit_trail.keep(
        services.db,
        "access",
        event,
        {**about, "function": function.name, "method": request.method},
        user_id=admin_id,
        session_id=user.session_id,
        ip=identity.client_ip(request, services.settings.trusted_proxy_hops),
        user_agent=request.headers.get("user-agent", "")[:512],
    )
