from shared.areas.tasks import subitems
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_restore_subitem(call: Call) -> Json:
    """Take a subitem back out of the archive. Spec api-tasks §5."""
    async with call.transaction() as tx:
        return Json(await subitems.restore(tx, call.user.id, call.id("subitemId")))
