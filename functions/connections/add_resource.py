from shared.areas.clients.audit import actor_of
from shared.areas.connections import service
from shared.areas.connections.models import AddResource
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_add_resource(call: Call, body: AddResource) -> Json:
    """Choose a location, page, account or site of a connection. Spec O29."""
    async with call.transaction() as tx:
        shown = await service.add_resource(tx, call.id("connectionId"), body, actor_of(call))
        return Json('{"resource":' + shown + "}")
