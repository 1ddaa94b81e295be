from typing import Any

from functions.reviews import outside
from shared.areas.reviews import service
from shared.runtime import Call, endpoint


@endpoint
async def reviews_refresh_locations(call: Call) -> dict[str, Any]:
    """What Google lists of the client's locations now; nothing is stored."""
    return await service.refresh_locations(outside(call), call.subject_id)
