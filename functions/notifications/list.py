from shared.areas.notifications import service
from shared.areas.notifications.models import ListQuery
from shared.runtime import Call, Json, endpoint


@endpoint
async def notifications_list(call: Call, query: ListQuery) -> Json:
    """List the caller's own newest notices, also while acting for a client. Spec api-accounts NO1."""
    return Json(await service.list_own(call.db, call.user.id, limit=query.limit))
