from shared.areas.tasks import items
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_changes(call: Call) -> Json:
    """List what happened to an item, newest first."""
    return Json(await items.list_changes(call.db, call.user.id, call.id("itemId")))
