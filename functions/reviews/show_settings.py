from shared.areas.reviews import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_show_settings(call: Call) -> Json:
    """The client's settings, or their defaults."""
    return Json(await service.show_settings(call.db, call.subject_id))
