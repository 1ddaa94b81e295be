from shared.areas.tasks import workspaces
from shared.runtime import Call, endpoint


@endpoint
async def tasks_delete_workspace(call: Call) -> dict[str, bool]:
    """Delete a workspace with all that is in it. Spec api-tasks §2."""
    async with call.transaction() as tx:
        await workspaces.delete(tx, call, call.id("workspaceId"))
    return {"ok": True}
