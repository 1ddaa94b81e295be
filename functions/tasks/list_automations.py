from shared.areas.tasks import automations
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_automations(call: Call) -> Json:
    """List a board's automations, newest first. Spec api-tasks §9."""
    found = await automations.of_board(call.db, call.user.id, call.id("boardId"))
    return Json(f'{{"automations":{found}}}')
