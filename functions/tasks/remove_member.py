from shared.areas.tasks import workspaces
from shared.runtime import Call, endpoint


@endpoint
async def tasks_remove_member(call: Call) -> dict[str, bool]:
    """Take a membership away. Spec api-tasks §2."""
    workspace_id, member_id = call.id("workspaceId"), call.id("memberUserId")
    async with call.transaction() as tx:
        await workspaces.remove_member(tx, call, workspace_id, member_id)
    return {"ok": True}
