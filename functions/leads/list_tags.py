from shared.areas.leads import board
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_list_tags(call: Call) -> Json:
    """List the client's tags by name. Spec L24."""
    return Json('{"tags":' + await board.tags(call.db, call.subject_id) + "}")
