from shared.areas.tasks import items
from shared.areas.tasks.models import CreateItem
from shared.errors import Invalid
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_create_item(call: Call, body: CreateItem) -> Json:
    """Create an item in the group that the path or else the body names. Spec api-tasks §5."""
    group_id = call.id("groupId") if "groupId" in call.path else body.group_id
    if group_id is None:
        raise Invalid.field("group_id", "is required")
    async with call.transaction() as tx:
        return Json(await items.create(tx, call.user.id, group_id, body))
