from shared.areas.tasks import workspaces
from shared.areas.tasks.models import AddMember
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_add_member(call: Call, body: AddMember) -> Json:
    """Make somebody a member of a workspace, or give a member another role. Spec api-tasks §2."""
    async with call.transaction() as tx:
        return Json(await workspaces.add_member(tx, call, call.id("workspaceId"), body))
