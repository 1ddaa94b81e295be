from typing import Any

from functions.connections import outside
from shared.areas.connections import offers
from shared.runtime import Call, endpoint


@endpoint
async def connections_list_google_accounts(call: Call) -> dict[str, Any]:
    """List the Business Profile accounts of a Google connection. Spec O19."""
    return await offers.google_accounts(outside(call), call.id("id"))
