from shared.areas.tasks import assignees
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_show_my_work(call: Call) -> Json:
    """Show the items that the caller is assigned to, by board. Spec api-tasks §5."""
    return Json(await assignees.my_work(call.db, call.user.id))
