from shared.areas.leads import board
from shared.areas.leads.models import UpdateStage
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_update_stage(call: Call, body: UpdateStage) -> Json:
    """Change a pipeline stage. Spec L19."""
    async with call.transaction() as tx:
        return Json('{"stage":' + await board.update_stage(tx, call.subject_id, call.id("stage_id"), body) + "}")
