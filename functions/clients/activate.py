from shared.areas.clients import service
from shared.areas.clients.audit import actor_of
from shared.areas.onboarding.links import mailing
from shared.runtime import Call, Json, endpoint


@endpoint
async def clients_activate(call: Call) -> Json:
    """Open the portal to a client who has finished onboarding; again, nothing changes. Spec api-accounts CL6."""
    async with call.transaction() as tx:
        client = await service.activate(tx, call.id("id"), actor_of(call), mailing(call.services))
    return Json('{"message":"The client is active.","client":' + client + "}")
