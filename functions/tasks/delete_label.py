from shared.areas.tasks import labels
from shared.runtime import Call, endpoint


@endpoint
async def tasks_delete_label(call: Call) -> dict[str, bool]:
    """Delete a status label; items keep its text. Spec api-tasks §4."""
    user = call.user
    async with call.transaction() as tx:
        await labels.delete(tx, user.id, call.id("labelId"), is_admin=user.is_admin)
    return {"success": True}
