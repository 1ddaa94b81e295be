from shared.areas.tasks import subitems
from shared.areas.tasks.models import ChangeSubitem
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_update_subitem(call: Call, body: ChangeSubitem) -> Json:
    """Change a subitem. Spec api-tasks §5."""
    async with call.transaction() as tx:
        return Json(await subitems.change(tx, call.user.id, call.id("subitemId"), body))
