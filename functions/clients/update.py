from functions.clients import actor
from shared.areas.clients import service
from shared.areas.clients.models import UpdateClient
from shared.runtime import Call, Json, endpoint


@endpoint
async def clients_update(call: Call, body: UpdateClient) -> Json:
    """Change an account; what is absent stays. Spec api-accounts CL4."""
    ring = await call.services.key_ring()
    async with call.transaction() as tx:
        return Json('{"client":' + await service.update(tx, call.id("id"), body, actor(call), ring) + "}")
