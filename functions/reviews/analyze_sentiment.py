from typing import Any

from functions.reviews import outside
from shared.areas.reviews import service
from shared.runtime import Call, endpoint


@endpoint
async def reviews_analyze_sentiment(call: Call) -> dict[str, Any]:
    """Have the AI judge the mood of a review."""
    return await service.analyze_sentiment(outside(call), call.subject_id, call.id("id"))
