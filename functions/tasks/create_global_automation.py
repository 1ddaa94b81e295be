from shared.areas.tasks import automations
from shared.areas.tasks.automations import CreateAutomation
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_create_global_automation(call: Call, body: CreateAutomation) -> Json:
    """Add a rule that holds for every board. Spec api-tasks §9."""
    kept = await automations.create_for_all(call.db, body, by=call.user.id)
    return Json(f'{{"automation":{kept},"scope":"global"}}')
