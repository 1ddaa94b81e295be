from shared.areas.tasks import items
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_items(call: Call) -> Json:
    """List the items of a group. Spec api-tasks §5."""
    return Json(await items.list_of_group(call.db, call.user.id, call.id("groupId")))
