from typing import Any

from shared.areas.leads import service
from shared.runtime import Call, endpoint


@endpoint
async def leads_show_reclassification(call: Call) -> dict[str, Any]:
    """Tell how many of a client's calls still wait to be classified again."""
    return await service.reclassification(call.db, call.id("client_id"))
