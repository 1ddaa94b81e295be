from shared.areas.clients import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def clients_list(call: Call) -> Json:
    """List clients and staff, newest first. Spec api-accounts CL1."""
    return Json(await service.list_clients(call.db))
