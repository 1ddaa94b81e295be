from shared.areas.clients.audit import actor_of
from shared.areas.connections import apps
from shared.runtime import Call, endpoint


@endpoint
async def connections_delete_provider(call: Call) -> dict[str, bool]:
    """Forget our app at a vendor. Spec O5."""
    async with call.transaction() as tx:
        await apps.delete(tx, call.id("id"), actor_of(call))
    return {"success": True}
