from functions.leads import outside
from shared.areas.leads import service
from shared.areas.leads.models import StartSync
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_sync_calls(call: Call, body: StartSync) -> Json:
    """Read the client's calls from CTM while the dashboard waits. Spec L3."""
    if body.full_sync:
        service.require_admin(call.user.effective_role)
    return Json(await service.sync_calls(outside(call), call.subject_id, full=body.full_sync))
