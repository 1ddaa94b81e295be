from shared.areas.journeys import service
from shared.areas.journeys.models import JourneyFields
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_update(call: Call, body: JourneyFields) -> Json:
    """Change what is given of a journey. Spec J6."""
    async with call.transaction() as tx:
        return Json('{"journey":' + await service.update(tx, call.subject_id, call.id("journey_id"), body) + "}")
