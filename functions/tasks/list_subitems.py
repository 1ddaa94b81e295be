from shared.areas.tasks import subitems
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_subitems(call: Call) -> Json:
    """List the subitems of an item. Spec api-tasks §5."""
    return Json(await subitems.list_of_item(call.db, call.user.id, call.id("itemId")))
