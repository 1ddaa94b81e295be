from shared.areas.leads import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_show_history(call: Call) -> Json:
    """Show the newest calls of a call's number, itself among them. Spec L10."""
    return Json(await service.history(call.db, call.subject_id, call.path["call_id"]))
