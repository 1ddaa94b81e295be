from shared.areas.journeys import service
from shared.areas.journeys.models import ListJourneys
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_list(call: Call, query: ListJourneys) -> Json:
    """List the client's journeys, newest first; those in the archive only when asked for. Spec J3."""
    return Json('{"journeys":' + await service.journeys(call.db, call.subject_id, query) + "}")
