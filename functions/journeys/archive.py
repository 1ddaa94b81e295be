from shared.areas.journeys import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_archive(call: Call) -> Json:
    """Put a journey into the archive. Spec J8."""
    async with call.transaction() as tx:
        return Json('{"journey":' + await service.archive(tx, call.subject_id, call.id("journey_id")) + "}")
