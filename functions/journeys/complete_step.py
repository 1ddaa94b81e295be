from shared.areas.journeys import service
from shared.areas.journeys.models import CompleteStep
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_complete_step(call: Call, body: CompleteStep) -> Json:
    """Mark a step as completed; twice is once. Spec J12."""
    async with call.transaction() as tx:
        text = await service.complete_step(tx, call.subject_id, call.id("journey_id"), call.id("step_id"), body)
        return Json('{"journey":' + text + "}")
