from shared.areas.tasks import time_entries
from shared.areas.tasks.time_rules import ChangeTime
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_change_time(call: Call, body: ChangeTime) -> Json:
    """Correct a time entry of one's own; an admin anybody's."""
    async with call.transaction() as tx:
        entry = await time_entries.change(tx, call, call.id("entryId"), body)
    return Json(f'{{"time_entry":{entry}}}')
