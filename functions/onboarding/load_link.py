from typing import Any

from shared.areas.onboarding import links, service
from shared.runtime import Call, endpoint


@endpoint
async def onboarding_load_link(call: Call) -> dict[str, Any]:
    """Show the wizard's state to whoever holds the link. Spec api-accounts ON1."""
    token = call.path["token"]
    row = await links.find(call.db, token)
    return await service.load(call.db, row["user_id"], token=token)
