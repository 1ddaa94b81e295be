from shared.areas.tasks import automations
from shared.areas.tasks.automations import ChangeAutomation
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_change_automation(call: Call, body: ChangeAutomation) -> Json:
    """Change an automation, a board's or everybody's; switching it on or off is one. Spec api-tasks §9."""
    async with call.transaction() as tx:
        changed, scope = await automations.change(tx, call, call.id("automationId"), body)
    return Json(f'{{"automation":{changed},"scope":"{scope}"}}')
