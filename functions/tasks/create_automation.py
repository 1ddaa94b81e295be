from shared.areas.tasks import automations
from shared.areas.tasks.automations import CreateAutomation
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_create_automation(call: Call, body: CreateAutomation) -> Json:
    """Add a rule to a board, by somebody who manages it. Spec api-tasks §9."""
    async with call.transaction() as tx:
        kept = await automations.create_for_board(tx, call.id("boardId"), body, by=call.user.id)
    return Json(f'{{"automation":{kept}}}')
