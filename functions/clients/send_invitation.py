from shared.areas.clients.audit import actor_of
from shared.areas.onboarding import links
from shared.runtime import Call, endpoint


@endpoint
async def clients_send_invitation(call: Call) -> dict[str, str]:
    """Mail a client a new onboarding link; older ones stop working. Spec api-accounts CL7."""
    async with call.transaction() as tx:
        await links.invite(tx, call.id("id"), actor_of(call), links.mailing(call.services))
    return {"message": "The onboarding mail is on its way."}
