from shared.areas.clients.audit import actor_of
from shared.areas.connections import service
from shared.areas.connections.models import UpdateConnection
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_update(call: Call, body: UpdateConnection) -> Json:
    """Edit a connection; empty tokens stay as they are. Spec O8."""
    ring = await call.services.key_ring()
    async with call.transaction() as tx:
        return Json('{"connection":' + await service.update(tx, call.id("id"), body, ring, actor_of(call)) + "}")
