from shared.areas.tasks import labels
from shared.areas.tasks.models import CreateLabel
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_create_global_label(call: Call, body: CreateLabel) -> Json:
    """Create a status label for all boards. Spec api-tasks §4."""
    async with call.transaction() as tx:
        return Json(await labels.create_global(tx, call.user.id, body))
