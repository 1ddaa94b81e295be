from shared.areas.tasks import updates
from shared.areas.tasks.models import Updates
from shared.runtime import Call, endpoint


@endpoint
async def tasks_mark_updates_viewed(call: Call, body: Updates) -> dict[str, bool]:
    """Remember that the caller has seen these updates: all or none. Spec api-tasks §6."""
    async with call.transaction() as tx:
        await updates.mark_viewed(tx, call.user.id, body.update_ids)
    return {"success": True}
