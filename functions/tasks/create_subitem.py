from shared.areas.tasks import subitems
from shared.areas.tasks.models import CreateSubitem
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_create_subitem(call: Call, body: CreateSubitem) -> Json:
    """Create a subitem. Spec api-tasks §5."""
    async with call.transaction() as tx:
        return Json(await subitems.create(tx, call.user.id, call.id("itemId"), body))
