from shared.areas.journeys import service
from shared.areas.journeys.models import UpdateStep
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_update_step(call: Call, body: UpdateStep) -> Json:
    """Change what is given of a step. Spec J11."""
    async with call.transaction() as tx:
        text = await service.update_step(tx, call.subject_id, call.id("journey_id"), call.id("step_id"), body)
        return Json('{"journey":' + text + "}")
