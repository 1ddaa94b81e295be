from shared.areas.reviews import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_show_connection(call: Call) -> Json:
    """How the client's Google connection stands."""
    return Json(await service.show_connection(call.db, call.subject_id))
