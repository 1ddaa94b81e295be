from shared.areas.clients import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def clients_list_services(call: Call) -> Json:
    """List a client's services by name. Spec api-accounts CL10."""
    return Json('{"services":' + await service.list_services(call.db, call.id("id")) + "}")
