from shared.areas.tasks import boards
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_boards(call: Call) -> Json:
    """List the boards of a workspace. Spec api-tasks §3."""
    return Json(await boards.list_of_workspace(call.db, call.user.id, call.id("workspaceId")))
