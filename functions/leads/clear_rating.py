from typing import Any

from shared.areas.leads import service
from shared.runtime import Call, endpoint


@endpoint
async def leads_clear_rating(call: Call) -> dict[str, Any]:
    """Take a call's stars away, here and in CTM. Spec L6."""
    async with call.transaction() as tx:
        return await service.clear_rating(tx, call.subject_id, call.path["call_id"])
