from typing import Any

from functions.connections import outside
from shared.areas.connections import offers
from shared.runtime import Call, endpoint


@endpoint
async def connections_list_instagram_accounts(call: Call) -> dict[str, Any]:
    """List the Instagram accounts behind a Facebook connection's pages. Spec O22."""
    return await offers.instagram_accounts(outside(call), call.id("id"))
