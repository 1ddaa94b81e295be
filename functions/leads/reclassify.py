from typing import Any

from functions.leads import outside
from shared.areas.leads import service
from shared.areas.leads.models import Reclassify
from shared.runtime import Call, endpoint


@endpoint
async def leads_reclassify(call: Call, body: Reclassify) -> dict[str, Any]:
    """Have the AI classify a client's newest calls again; ratings and people's categories stay. Spec L33."""
    return await service.reclassify(outside(call), call.id("client_id"), limit=body.limit, force=body.force)
