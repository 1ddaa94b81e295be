from shared.areas.tasks import workspaces
from shared.areas.tasks.models import CreateWorkspace
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_create_workspace(call: Call, body: CreateWorkspace) -> Json:
    """Create a workspace, which its creator manages. Spec api-tasks §2."""
    async with call.transaction() as tx:
        return Json(await workspaces.create(tx, call.user.id, body))
