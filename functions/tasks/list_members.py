from shared.areas.tasks import workspaces
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_members(call: Call) -> Json:
    """List who belongs to a workspace: members of their own, and all staff. Spec api-tasks §2."""
    return Json(await workspaces.members(call.db, call.user.id, call.id("workspaceId")))
