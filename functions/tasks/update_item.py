from shared.areas.tasks import items
from shared.areas.tasks.models import ChangeItem
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_update_item(call: Call, body: ChangeItem) -> Json:
    """Change an item; who sends the updated_at that they saw gets a 409 if it is another now. Spec api-tasks §5."""
    async with call.transaction() as tx:
        return Json(await items.change(tx, call.user.id, call.id("itemId"), body))
