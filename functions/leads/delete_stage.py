from typing import Any

from shared.areas.leads import board
from shared.runtime import Call, endpoint


@endpoint
async def leads_delete_stage(call: Call) -> dict[str, Any]:
    """Delete a pipeline stage; its calls lose it. Spec L20."""
    async with call.transaction() as tx:
        await board.delete_stage(tx, call.subject_id, call.id("stage_id"))
    return {"message": "The stage was deleted."}
