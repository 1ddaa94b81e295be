from shared.areas.tasks import boards
from shared.areas.tasks.models import ChangeGroup
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_update_group(call: Call, body: ChangeGroup) -> Json:
    """Rename a group, or give it another place on its board."""
    async with call.transaction() as tx:
        return Json(await boards.change_group(tx, call.user.id, call.id("groupId"), body))
