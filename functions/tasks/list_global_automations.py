from shared.areas.tasks import automations
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_global_automations(call: Call) -> Json:
    """List the automations of every board, newest first. Spec api-tasks §9."""
    return Json(f'{{"automations":{await automations.for_all(call.db)}}}')
