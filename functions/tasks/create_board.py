from shared.areas.tasks import boards
from shared.areas.tasks.models import CreateBoard
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_create_board(call: Call, body: CreateBoard) -> Json:
    """Create a board in a workspace. Spec api-tasks §3."""
    async with call.transaction() as tx:
        return Json(await boards.create(tx, call.user.id, call.id("workspaceId"), body))
