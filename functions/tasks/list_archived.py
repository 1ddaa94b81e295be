from shared.areas.tasks import items
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_archived(call: Call) -> Json:
    """List the archived items of a board, so that they can be restored."""
    return Json(await items.list_archived(call.db, call.user.id, call.id("boardId")))
