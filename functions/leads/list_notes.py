from shared.areas.leads import board
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_list_notes(call: Call) -> Json:
    """List a lead's notes, newest first. Spec L21."""
    return Json('{"notes":' + await board.notes(call.db, call.subject_id, call.path["call_id"]) + "}")
