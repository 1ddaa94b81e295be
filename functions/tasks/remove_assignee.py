from shared.areas.tasks import assignees
from shared.runtime import Call, endpoint


@endpoint
async def tasks_remove_assignee(call: Call) -> dict[str, bool]:
    """Take somebody off an item. Spec api-tasks §7."""
    item_id, assignee_id = call.id("itemId"), call.id("assigneeUserId")
    async with call.transaction() as tx:
        await assignees.remove(tx, call.user.id, item_id, assignee_id)
    return {"ok": True}
