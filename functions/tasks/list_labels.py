from shared.areas.tasks import labels
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_labels(call: Call) -> Json:
    """List the status labels that a board shows. Spec api-tasks §4."""
    return Json(await labels.list_of_board(call.db, call.user.id, call.id("boardId")))
