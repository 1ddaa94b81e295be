from shared.areas.clients import service
from shared.areas.clients.models import UpdateService
from shared.runtime import Call, Json, endpoint


@endpoint
async def clients_update_service(call: Call, body: UpdateService) -> Json:
    """Change what is given of a service. Spec api-leads V3."""
    async with call.transaction() as tx:
        text = await service.update_service(tx, call.subject_id, call.id("service_id"), body.columns())
        return Json('{"service":' + text + "}")
