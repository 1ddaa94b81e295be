from typing import Any

from shared.areas.reviews import service
from shared.runtime import Call, endpoint


@endpoint
async def reviews_delete_rule(call: Call) -> dict[str, Any]:
    """Delete an automation rule; what it did stays in the log."""
    async with call.transaction() as tx:
        return await service.delete_rule(tx, call.subject_id, call.id("id"))
