from shared.areas.tasks import labels
from shared.areas.tasks.models import ChangeLabel
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_update_label(call: Call, body: ChangeLabel) -> Json:
    """Change a status label; items that have it are renamed with it. Spec api-tasks §4."""
    async with call.transaction() as tx:
        return Json(await labels.change(tx, call, call.id("labelId"), body))
