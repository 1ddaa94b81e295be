from typing import Any

from shared.areas.clients import service
from shared.runtime import Call, endpoint


@endpoint
async def clients_retire_service(call: Call) -> dict[str, Any]:
    """Take a service out of use; what was sold of it is kept. Spec api-leads V4."""
    async with call.transaction() as tx:
        await service.retire_service(tx, call.subject_id, call.id("service_id"))
    return {"success": True}
