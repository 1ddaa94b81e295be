from shared.areas.connections import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_list_client_resources(call: Call) -> Json:
    """List what is chosen of all of a client's connections. Spec O28."""
    return Json('{"resources":' + await service.list_resources_of_client(call.db, call.id("clientId")) + "}")
