from shared.areas.clients.audit import actor_of
from shared.areas.connections import service
from shared.areas.connections.models import CreateConnection
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_create(call: Call, body: CreateConnection) -> Json:
    """Keep a connection whose tokens the caller brings. Spec O7."""
    ring = await call.services.key_ring()
    async with call.transaction() as tx:
        shown = await service.create(tx, call.id("clientId"), body, ring, actor_of(call))
        return Json('{"connection":' + shown + "}")
