from shared.areas.leads import board
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_list_views(call: Call) -> Json:
    """List the client's saved views, newest first. Spec L30."""
    return Json('{"views":' + await board.views(call.db, call.subject_id) + "}")
