from typing import Any

from shared.areas.onboarding import links
from shared.runtime import Call, endpoint


@endpoint
async def clients_show_invitation_link(call: Call) -> dict[str, Any]:
    """Show a client's open onboarding link, to copy it. Spec api-accounts CL8."""
    ring = await call.services.key_ring()
    return await links.copy(call.db, call.id("id"), app_base_url=call.services.settings.app_base_url, ring=ring)
