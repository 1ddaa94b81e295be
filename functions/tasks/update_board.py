from shared.areas.tasks import boards
from shared.areas.tasks.models import ChangeBoard
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_update_board(call: Call, body: ChangeBoard) -> Json:
    """Rename or describe a board, or move it into another workspace. Spec api-tasks §3."""
    async with call.transaction() as tx:
        return Json(await boards.change(tx, call, call.id("boardId"), body))
