from typing import Any

from functions.reviews import outside
from shared.areas.reviews import service
from shared.runtime import Call, endpoint


@endpoint
async def reviews_send_draft(call: Call) -> dict[str, Any]:
    """Post a draft to Google, which approves it; while Google is out it is kept, and sent later."""
    return await service.send_draft(outside(call), call.subject_id, call.id("draft_id"), by=call.user.id)
