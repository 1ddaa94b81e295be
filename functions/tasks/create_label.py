from shared.areas.tasks import labels
from shared.areas.tasks.models import CreateLabel
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_create_label(call: Call, body: CreateLabel) -> Json:
    """Create a status label of a board. Spec api-tasks §4."""
    async with call.transaction() as tx:
        return Json(await labels.create(tx, call.user.id, call.id("boardId"), body))
