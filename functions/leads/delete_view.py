from typing import Any

from shared.areas.leads import board
from shared.runtime import Call, endpoint


@endpoint
async def leads_delete_view(call: Call) -> dict[str, Any]:
    """Delete a saved view. Spec L32."""
    async with call.transaction() as tx:
        await board.delete_view(tx, call.subject_id, call.id("view_id"))
    return {"message": "The view was deleted."}
