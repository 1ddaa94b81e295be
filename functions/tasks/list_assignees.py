from shared.areas.tasks import assignees
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_assignees(call: Call) -> Json:
    """List who works on an item. Spec api-tasks §7."""
    return Json(await assignees.list_of_item(call.db, call.user.id, call.id("itemId")))
