from shared.areas.tasks import labels
from shared.runtime import Call, endpoint


@endpoint
async def tasks_delete_label(call: Call) -> dict[str, bool]:
    """Delete a status label; items keep its text. Spec api-tasks §4."""
    async with call.transaction() as tx:
        await labels.delete(tx, call, call.id("labelId"))
    return {"success": True}
