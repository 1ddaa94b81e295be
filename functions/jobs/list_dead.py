from shared.areas.jobs import service
from shared.areas.jobs.models import DeadListQuery
from shared.runtime import Call, Json, endpoint


@endpoint
async def jobs_list_dead(call: Call, query: DeadListQuery) -> Json:
    """List work that gave up, with its reasons, newest first."""
    return Json(await service.list_dead(call.db, limit=query.limit, offset=query.offset))
