from shared.areas.tasks import boards
from shared.runtime import Call, endpoint


@endpoint
async def tasks_delete_group(call: Call) -> dict[str, bool]:
    """Delete a group with its items. Spec api-tasks §3."""
    async with call.transaction() as tx:
        await boards.delete_group(tx, call, call.id("groupId"))
    return {"ok": True}
