from typing import Any

from shared.areas.leads import board
from shared.runtime import Call, endpoint


@endpoint
async def leads_untag_call(call: Call) -> dict[str, Any]:
    """Take a tag off a call. Spec L29."""
    async with call.transaction() as tx:
        await board.untag_call(tx, call.subject_id, call.path["call_id"], call.id("tag_id"))
    return {"message": "The tag was removed."}
