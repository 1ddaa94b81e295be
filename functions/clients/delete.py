from typing import Any

from shared.areas.clients import service
from shared.areas.clients.audit import actor_of
from shared.areas.clients.models import DeleteQuery
from shared.runtime import Call, endpoint


@endpoint
async def clients_delete(call: Call, query: DeleteQuery) -> dict[str, Any]:
    """Delete an account and all that is its own; the task board too if asked. Spec api-accounts CL5."""
    key_ring = await call.services.key_ring()
    async with call.transaction() as tx:
        gone = await service.delete(tx, call.id("id"), actor_of(call), with_board=query.delete_board, key_ring=key_ring)
    return {"message": "Account deleted.", "targetRole": gone.role, "boardDeleted": gone.board_deleted}
