from shared.areas.connections import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_list_resources(call: Call) -> Json:
    """List what is chosen of a connection, primary first. Spec O27."""
    return Json('{"resources":' + await service.list_resources(call.db, call.id("connectionId")) + "}")
