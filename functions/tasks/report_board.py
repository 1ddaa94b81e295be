from shared.areas.tasks import boards
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_report_board(call: Call) -> Json:
    """Count the items of a board. Spec api-tasks §3."""
    return Json(await boards.report(call.db, call.user.id, call.id("boardId")))
