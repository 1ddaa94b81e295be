from typing import Any

from shared.areas.leads import service
from shared.runtime import Call, endpoint


@endpoint
async def leads_unlink_client(call: Call) -> dict[str, Any]:
    """Remove a call's link to an active client. Spec L9."""
    async with call.transaction() as tx:
        return await service.unlink_client(tx, call.subject_id, call.path["call_id"])
