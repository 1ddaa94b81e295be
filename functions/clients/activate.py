from functions.clients import actor, mailing
from shared.areas.clients import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def clients_activate(call: Call) -> Json:
    """Open the portal to a client who has finished onboarding; again, nothing changes. Spec api-accounts CL6."""
    async with call.transaction() as tx:
        client = await service.activate(tx, call.id("id"), actor(call), mailing(call))
    return Json('{"message":"The client is active.","client":' + client + "}")
