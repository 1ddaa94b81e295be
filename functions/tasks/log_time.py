from functions.tasks import agency_day
from shared.areas.tasks import time_entries
from shared.areas.tasks.time_rules import LogTime
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_log_time(call: Call, body: LogTime) -> Json:
    """Log time of the caller's on an item, archived ones too; by default all of it is billable. Spec api-tasks §8."""
    async with call.transaction() as tx:
        entry = await time_entries.log(tx, call.id("itemId"), body, by=call.user.id, today=agency_day(call.services))
    return Json(f'{{"time_entry":{entry}}}')
