from shared.areas.tasks import boards
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_all_boards(call: Call) -> Json:
    """List the boards of all workspaces. Spec api-tasks §3."""
    return Json(await boards.list_all(call.db))
