from shared.areas.clients import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def clients_show(call: Call) -> Json:
    """Show one account with all its settings. Spec api-accounts CL3."""
    return Json('{"client":' + await service.show(call.db, call.id("id")) + "}")
