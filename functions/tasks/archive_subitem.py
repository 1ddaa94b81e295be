from shared.areas.tasks import subitems
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_archive_subitem(call: Call) -> Json:
    """Archive a subitem. Spec api-tasks §5."""
    async with call.transaction() as tx:
        return Json(await subitems.archive(tx, call.user.id, call.id("subitemId")))
