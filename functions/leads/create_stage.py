from shared.areas.leads import board
from shared.areas.leads.models import CreateStage
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_create_stage(call: Call, body: CreateStage) -> Json:
    """Add a pipeline stage, at the end unless a position is given. Spec L18."""
    async with call.transaction() as tx:
        return Json('{"stage":' + await board.create_stage(tx, call.subject_id, body) + "}")
