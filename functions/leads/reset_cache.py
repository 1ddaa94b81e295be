from typing import Any

from shared.areas.leads import service
from shared.runtime import Call, endpoint


@endpoint
async def leads_reset_cache(call: Call) -> dict[str, Any]:
    """Have the client's next sync read everything anew; superadmins only. Spec L14."""
    async with call.transaction() as tx:
        return await service.forget_cursor(tx, call.subject_id)
