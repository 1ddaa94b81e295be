from shared.areas.leads import board
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_list_call_tags(call: Call) -> Json:
    """List the tags of a call. Spec L27."""
    return Json('{"tags":' + await board.call_tags(call.db, call.subject_id, call.path["call_id"]) + "}")
