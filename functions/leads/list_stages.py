from shared.areas.leads import board
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_list_stages(call: Call) -> Json:
    """List the client's pipeline stages; the first time, the six defaults are made. Spec L17."""
    stages = await board.stages(call.db, call.subject_id)
    if stages is None:
        async with call.transaction() as tx:
            await board.create_default_stages(tx, call.subject_id)
            stages = await board.stages(tx, call.subject_id)
    return Json('{"stages":' + (stages or "[]") + "}")
