from typing import Any

from functions.leads import outside
from shared.areas.leads import service
from shared.runtime import Call, endpoint


@endpoint
async def leads_sync_fully(call: Call) -> dict[str, Any]:
    """Read the client's whole long window from CTM; admins only. Spec L4."""
    return await service.sync_fully(outside(call), call.subject_id)
