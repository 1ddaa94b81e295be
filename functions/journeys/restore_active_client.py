from typing import Any

from shared.areas.journeys import active_clients
from shared.runtime import Call, endpoint


@endpoint
async def journeys_restore_active_client(call: Call) -> dict[str, Any]:
    """Take an active client out of the archive, with the journeys that went there with them. Spec C5."""
    async with call.transaction() as tx:
        await active_clients.restore(tx, call.subject_id, call.id("client_id"))
    return {"success": True}
