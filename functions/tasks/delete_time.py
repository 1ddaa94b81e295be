from shared.areas.tasks import time_entries
from shared.runtime import Call, endpoint


@endpoint
async def tasks_delete_time(call: Call) -> dict[str, bool]:
    """Delete a time entry of one's own; an admin anybody's."""
    async with call.transaction() as tx:
        await time_entries.remove(tx, call, call.id("entryId"))
    return {"ok": True}
