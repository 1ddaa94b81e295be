from shared.areas.reviews import service
from shared.areas.reviews.models import ListLogs
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_list_logs(call: Call, query: ListLogs) -> Json:
    """What was done about reviews by the AI, by rules and by people, newest first."""
    return Json(await service.list_logs(call.db, call.subject_id, query))
