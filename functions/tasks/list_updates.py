from shared.areas.tasks import updates
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_updates(call: Call) -> Json:
    """List what people said on an item. Spec api-tasks §6."""
    return Json(await updates.list_of_item(call.db, call.user.id, call.id("itemId")))
