from shared.areas.tasks import workspaces
from shared.areas.tasks.models import ChangeMember
from shared.runtime import Call, Json, endpoint


@endpoint
async def tasks_change_member(call: Call, body: ChangeMember) -> Json:
    """Give a member another role. Spec api-tasks §2."""
    workspace_id, member_id = call.id("workspaceId"), call.id("memberUserId")
    async with call.transaction() as tx:
        return Json(await workspaces.change_member(tx, call, workspace_id, member_id, body))
