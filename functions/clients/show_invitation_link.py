from typing import Any

from shared.areas.clients.audit import actor_of
from shared.areas.onboarding import links
from shared.runtime import Call, endpoint


@endpoint
async def clients_show_invitation_link(call: Call) -> dict[str, Any]:
    """Show a client's open onboarding link, to copy it. Spec api-accounts CL8."""
    ring, site = await call.services.key_ring(), links.mailing(call.services).site
    return await links.copy(call.db, call.id("id"), actor_of(call), site=site, ring=ring)
