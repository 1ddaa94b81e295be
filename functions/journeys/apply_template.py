from shared.areas.journeys import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_apply_template(call: Call) -> Json:
    """Give a journey without steps those of the template. Spec J15."""
    async with call.transaction() as tx:
        return Json('{"journey":' + await service.apply_template(tx, call.subject_id, call.id("journey_id")) + "}")
