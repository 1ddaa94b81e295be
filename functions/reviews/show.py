from shared.areas.reviews import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_show(call: Call) -> Json:
    """One review with its drafts."""
    return Json(await service.show(call.db, call.subject_id, call.id("id")))
