from shared.areas.journeys import service
from shared.areas.journeys.models import AddStep
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_add_step(call: Call, body: AddStep) -> Json:
    """Add a step to a journey. Spec J10."""
    async with call.transaction() as tx:
        return Json('{"journey":' + await service.add_step(tx, call.subject_id, call.id("journey_id"), body) + "}")
