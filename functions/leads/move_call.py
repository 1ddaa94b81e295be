from typing import Any

from shared.areas.leads import service
from shared.areas.leads.models import MoveCall
from shared.runtime import Call, endpoint


@endpoint
async def leads_move_call(call: Call, body: MoveCall) -> dict[str, Any]:
    """Put a call into a pipeline stage, or into none. Spec L16."""
    async with call.transaction() as tx:
        return await service.move(tx, call.subject_id, call.path["call_id"], body.stage_id)
