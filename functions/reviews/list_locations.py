from shared.areas.reviews import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_list_locations(call: Call) -> Json:
    """The client's locations, the primary one first."""
    return Json(await service.list_locations(call.db, call.subject_id))
