from typing import Any

from shared.areas.leads import board
from shared.runtime import Call, endpoint


@endpoint
async def leads_delete_tag(call: Call) -> dict[str, Any]:
    """Delete a tag, also from its calls; fine when it is gone already. Spec L26."""
    async with call.transaction() as tx:
        await board.delete_tag(tx, call.subject_id, call.id("tag_id"))
    return {"message": "The tag was deleted."}
