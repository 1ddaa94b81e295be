from shared.areas.journeys import active_clients
from shared.areas.journeys.models import UpdateActiveClient
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_update_active_client(call: Call, body: UpdateActiveClient) -> Json:
    """Change what is given of an active client. Spec C3."""
    async with call.transaction() as tx:
        text = await active_clients.update(tx, call.subject_id, call.id("client_id"), body)
        return Json('{"active_client":' + text + "}")
