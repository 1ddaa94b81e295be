from shared.areas.accounts.service import means
from shared.areas.clients import service
from shared.areas.clients.audit import actor_of
from shared.areas.clients.models import UpdateClient
from shared.runtime import Call, Json, endpoint


@endpoint
async def clients_update(call: Call, body: UpdateClient) -> Json:
    """Change an account; what is absent stays. Spec api-accounts CL4."""
    outside = await means(call.services)
    async with call.transaction() as tx:
        return Json('{"client":' + await service.update(tx, call.id("id"), body, actor_of(call), outside) + "}")
