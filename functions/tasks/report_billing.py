from shared.areas.tasks import reports
from shared.areas.tasks.time_rules import BillingReport
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_report_billing(call: Call, body: BillingReport) -> Json:
    """List the time of boards by item over a range of days, archived and deleted items too. Spec api-tasks §8."""
    items, total = await reports.billing(call.db, body)
    return Json(f'{{"items":{items},"total":{total}}}')
