from functions.leads import outside
from shared.areas.leads import service
from shared.areas.leads.models import StartSync
from shared.errors import Forbidden
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_sync_calls(call: Call, body: StartSync) -> Json:
    """Read the client's calls from CTM while the dashboard waits. Spec L3."""
    if body.full_sync and not call.user.is_admin:
        raise Forbidden("Only an admin may read everything anew.")
    return Json(await service.sync_calls(outside(call), call.subject_id, full=body.full_sync))
