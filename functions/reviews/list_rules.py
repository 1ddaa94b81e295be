from shared.areas.reviews import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_list_rules(call: Call) -> Json:
    """The client's automation rules, in the order in which they are asked."""
    return Json(await service.list_rules(call.db, call.subject_id))
