from shared.areas.clients.audit import actor_of
from shared.areas.connections import service
from shared.runtime import Call, endpoint


@endpoint
async def connections_delete(call: Call) -> dict[str, bool]:
    """End a connection and take it away with its resources; what refers to them stays. Spec O10."""
    ring = await call.services.key_ring()
    async with call.transaction() as tx:
        await service.delete(tx, call.id("id"), ring, actor_of(call))
    return {"success": True}
