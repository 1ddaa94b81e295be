from shared.areas.clients import service
from shared.areas.clients.models import AddService
from shared.runtime import Call, Json, endpoint


@endpoint
async def clients_add_service(call: Call, body: AddService) -> Json:
    """Add a service to the client's list. Spec api-leads V2."""
    async with call.transaction() as tx:
        return Json('{"service":' + await service.add_service(tx, call.subject_id, body.item()) + "}")
