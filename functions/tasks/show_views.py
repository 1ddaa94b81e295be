from shared.areas.tasks import updates
from shared.areas.tasks.models import Updates
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_show_views(call: Call, body: Updates) -> Json:
    """Show who has seen these updates. Spec api-tasks §6."""
    return Json(await updates.views(call.db, body.update_ids))
