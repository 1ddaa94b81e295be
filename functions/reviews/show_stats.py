from shared.areas.reviews import service
from shared.areas.reviews.models import Statistics
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_show_stats(call: Call, query: Statistics) -> Json:
    """The numbers above the list."""
    return Json(await service.statistics(call.db, call.subject_id, query.days))
