from shared.areas.tasks import boards
from shared.areas.tasks.models import CreateGroup
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_create_group(call: Call, body: CreateGroup) -> Json:
    """Create a group on a board. Spec api-tasks §3."""
    async with call.transaction() as tx:
        return Json(await boards.create_group(tx, call.user.id, call.id("boardId"), body))
