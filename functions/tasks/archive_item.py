from shared.areas.tasks import items
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_archive_item(call: Call) -> Json:
    """Archive an item. Spec api-tasks §5."""
    async with call.transaction() as tx:
        return Json(await items.archive(tx, call.user.id, call.id("itemId")))
