from shared.areas.leads import board
from shared.areas.leads.models import AddNote
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_add_note(call: Call, body: AddNote) -> Json:
    """Add a note to a lead, by the signed-in user, also when they act for a client. Spec L22."""
    async with call.transaction() as tx:
        return Json(
            '{"note":' + await board.add_note(tx, call.subject_id, call.user.id, call.path["call_id"], body) + "}"
        )
