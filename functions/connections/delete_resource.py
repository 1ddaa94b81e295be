from shared.areas.clients.audit import actor_of
from shared.areas.connections import service
from shared.runtime import Call, endpoint


@endpoint
async def connections_delete_resource(call: Call) -> dict[str, bool]:
    """Take a resource away; what refers to it stays. Spec O31."""
    async with call.transaction() as tx:
        await service.delete_resource(tx, call.id("id"), actor_of(call))
    return {"success": True}
