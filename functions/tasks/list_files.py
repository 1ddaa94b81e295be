from shared.areas.tasks import attachments
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_files(call: Call) -> Json:
    """List the files of an item. Spec api-tasks §6."""
    return Json(await attachments.list_of_item(call.db, call.user.id, call.id("itemId")))
