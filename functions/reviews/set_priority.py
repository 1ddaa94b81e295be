from shared.areas.reviews import service
from shared.areas.reviews.models import SetPriority
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_set_priority(call: Call, body: SetPriority) -> Json:
    """Say how urgent a review is."""
    async with call.transaction() as tx:
        return Json(await service.set_priority(tx, call.subject_id, call.id("id"), body.priority))
