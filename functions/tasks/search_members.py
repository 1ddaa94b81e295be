from shared.areas.tasks import workspaces
from shared.areas.tasks.models import SearchQuery
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_search_members(call: Call, query: SearchQuery) -> Json:
    """Find members of a workspace by address or name, while somebody types. Spec api-tasks §2."""
    return Json(await workspaces.search(call.db, call.user.id, call.id("workspaceId"), query.q))
