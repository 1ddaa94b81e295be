from shared.areas.tasks import automations
from shared.areas.tasks.automations import RunsQuery
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_list_runs(call: Call, query: RunsQuery) -> Json:
    """List the newest runs of automations. Spec api-tasks §9."""
    return Json(f'{{"runs":{await automations.runs(call.db, call.user.id, query)}}}')
