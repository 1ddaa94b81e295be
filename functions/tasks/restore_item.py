from shared.areas.tasks import items
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_restore_item(call: Call) -> Json:
    """Take an item back out of the archive. Spec api-tasks §5."""
    async with call.transaction() as tx:
        return Json(await items.restore(tx, call.user.id, call.id("itemId")))
