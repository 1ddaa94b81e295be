from typing import Any

from functions.reviews import outside
from shared.areas.reviews import service
from shared.areas.reviews.models import SendResponse
from shared.runtime import Call, endpoint


@endpoint
async def reviews_respond(call: Call, body: SendResponse) -> dict[str, Any]:
    """Post a reply to Google; while Google is out it is kept, and sent later. Seeds DATA_FLOWS §7."""
    return await service.respond(outside(call), call.subject_id, call.id("id"), body.text, by=call.user.id)
