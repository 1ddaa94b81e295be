from typing import Any

from functions.reviews import outside
from shared.areas.reviews import service
from shared.areas.reviews.models import StartSync
from shared.runtime import Call, endpoint


@endpoint
async def reviews_sync_now(call: Call, body: StartSync) -> dict[str, Any]:
    """Read the client's reviews from Google while the dashboard waits. Seeds DATA_FLOWS §7."""
    return await service.sync_now(outside(call), call.subject_id, full=body.forceFullSync)
