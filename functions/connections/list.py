from shared.areas.connections import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_list(call: Call) -> Json:
    """List a client's connections, never with a token. Spec O6."""
    return Json('{"connections":' + await service.list_of_client(call.db, call.id("clientId")) + "}")
