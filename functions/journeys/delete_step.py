from shared.areas.journeys import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_delete_step(call: Call) -> Json:
    """Delete a step; the others close the gap. Spec J13."""
    async with call.transaction() as tx:
        text = await service.delete_step(tx, call.subject_id, call.id("journey_id"), call.id("step_id"))
        return Json('{"journey":' + text + "}")
