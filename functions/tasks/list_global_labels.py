from shared.areas.tasks import labels
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_global_labels(call: Call) -> Json:
    """List the status labels of all boards. Spec api-tasks §4."""
    return Json(await labels.list_global(call.db))
