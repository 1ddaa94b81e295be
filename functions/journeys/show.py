from shared.areas.journeys import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_show(call: Call) -> Json:
    """Show a journey, also one from the archive. Spec J4."""
    return Json('{"journey":' + await service.journey(call.db, call.subject_id, call.id("journey_id")) + "}")
