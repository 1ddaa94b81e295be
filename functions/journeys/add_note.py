from shared.areas.journeys import service
from shared.areas.journeys.models import AddJourneyNote
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_add_note(call: Call, body: AddJourneyNote) -> Json:
    """Add a note, by the signed-in user, also when they act for a client. Spec J14."""
    async with call.transaction() as tx:
        text = await service.add_note(tx, call.subject_id, call.id("journey_id"), call.user.id, body.body)
        return Json('{"journey":' + text + "}")
