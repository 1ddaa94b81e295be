from typing import Any

from shared.areas.leads import board
from shared.runtime import Call, endpoint


@endpoint
async def leads_delete_note(call: Call) -> dict[str, Any]:
    """Delete a note of a lead. Spec L23."""
    async with call.transaction() as tx:
        await board.delete_note(tx, call.subject_id, call.path["call_id"], call.id("note_id"))
    return {"message": "The note was deleted."}
