from shared.areas.tasks import reports
from shared.areas.tasks.time_rules import Report
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_report_boards(call: Call, body: Report) -> Json:
    """Count the items, updates and minutes of boards over a range of days. Spec api-tasks §8."""
    rows = await reports.boards(call.db, body, call.services.settings.agency_zone)
    return Json(f'{{"rows":{rows}}}')
