from typing import Any

from shared.areas.journeys import active_clients
from shared.runtime import Call, endpoint


@endpoint
async def journeys_archive_active_client(call: Call) -> dict[str, Any]:
    """Put an active client into the archive, with their journeys. Spec C4."""
    async with call.transaction() as tx:
        await active_clients.archive(tx, call.subject_id, call.id("client_id"))
    return {"success": True}
