from shared.areas.journeys import service
from shared.areas.journeys.models import StartJourney
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_start(call: Call, body: StartJourney) -> Json:
    """Begin a journey with the template's steps, or update the lead's. Seeds DATA_FLOWS §4, spec J5."""
    async with call.transaction() as tx:
        return Json('{"journey":' + await service.start(tx, call.subject_id, body) + "}")
