from shared.areas.tasks import boards
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_groups(call: Call) -> Json:
    """List the groups of a board. Spec api-tasks §3."""
    return Json(await boards.list_groups(call.db, call.user.id, call.id("boardId")))
