from shared.areas.leads import board
from shared.areas.leads.models import TagCall
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_tag_call(call: Call, body: TagCall) -> Json:
    """Put a tag on a call, named by id or by a name that may be new. Spec L28."""
    async with call.transaction() as tx:
        return Json('{"tags":' + await board.tag_call(tx, call.subject_id, call.path["call_id"], body) + "}")
