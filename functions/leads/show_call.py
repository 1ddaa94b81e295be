from shared.areas.leads import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_show_call(call: Call) -> Json:
    """Show a call with its caller's other calls, its journey and its active client. Spec L11."""
    return Json(await service.detail(call.db, call.subject_id, call.path["call_id"]))
