from shared.areas.tasks import labels
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_copy_default_labels(call: Call) -> Json:
    """Make the default status labels a board's own, to be edited. Spec api-tasks §4."""
    async with call.transaction() as tx:
        return Json(await labels.copy_defaults(tx, call.user.id, call.id("boardId")))
