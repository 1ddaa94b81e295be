from typing import Any

from functions.connections import outside
from shared.areas.connections import offers
from shared.runtime import Call, endpoint


@endpoint
async def connections_list_facebook_pages(call: Call) -> dict[str, Any]:
    """List the pages of a Facebook connection, never with their tokens. Spec O21."""
    return await offers.facebook_pages(outside(call), call.id("id"))
