from shared.areas.journeys import service
from shared.areas.journeys.models import SetStatus
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_set_status(call: Call, body: SetStatus) -> Json:
    """Move a journey along the seeds' state diagram. Spec J7."""
    async with call.transaction() as tx:
        return Json(
            '{"journey":' + await service.set_status(tx, call.subject_id, call.id("journey_id"), body.status) + "}"
        )
