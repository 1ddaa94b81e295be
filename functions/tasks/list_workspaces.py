from shared.areas.tasks import workspaces
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_workspaces(call: Call) -> Json:
    """List all workspaces. Spec api-tasks §2."""
    return Json(await workspaces.list_all(call.db))
