from shared.areas.tasks import time_entries
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_time(call: Call) -> Json:
    """List the time logged on an item, newest first. Spec api-tasks §8."""
    entries = await time_entries.listed(call.db, call.user.id, call.id("itemId"))
    return Json(f'{{"time_entries":{entries}}}')
