from shared.areas.tasks import boards
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_view_board(call: Call) -> Json:
    """Show all of a board at once. Spec api-tasks §3."""
    return Json(await boards.view(call.db, call.user.id, call.id("boardId")))
