from shared.areas.journeys import service
from shared.areas.journeys.models import Restore
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_restore(call: Call, body: Restore) -> Json:
    """Take a journey out of the archive. Spec J9."""
    async with call.transaction() as tx:
        return Json(
            '{"journey":' + await service.restore(tx, call.subject_id, call.id("journey_id"), body.status) + "}"
        )
