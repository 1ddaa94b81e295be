from shared.areas.tasks import summaries
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_show_summary(call: Call) -> Json:
    """Show an item's kept AI summary, and whether an update came after it. Spec api-tasks §10."""
    return Json(await summaries.read(call.db, call.user.id, call.id("itemId")))
