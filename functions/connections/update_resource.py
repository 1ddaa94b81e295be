from shared.areas.clients.audit import actor_of
from shared.areas.connections import service
from shared.areas.connections.models import UpdateResource
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_update_resource(call: Call, body: UpdateResource) -> Json:
    """Rename a resource, switch it on or off, or make it the primary one. Spec O30."""
    async with call.transaction() as tx:
        return Json('{"resource":' + await service.update_resource(tx, call.id("id"), body, actor_of(call)) + "}")
