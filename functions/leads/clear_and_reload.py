from functions.leads import outside
from shared.areas.leads import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_clear_and_reload(call: Call) -> Json:
    """Let what CTM has replace the stored calls, in one transaction; notes, tags and links stay. Spec L15."""
    return Json(await service.clear_and_reload(outside(call), call.subject_id))
