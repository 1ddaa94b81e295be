from shared.areas.clients.audit import actor_of
from shared.areas.connections import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_revoke(call: Call) -> Json:
    """End a connection: its tokens are wiped, and its consent is withdrawn at the vendor. Spec O9."""
    ring = await call.services.key_ring()
    async with call.transaction() as tx:
        return Json('{"connection":' + await service.revoke(tx, call.id("id"), ring, actor_of(call)) + "}")
