from typing import Any

from functions.connections import outside
from shared.areas.connections import offers
from shared.runtime import Call, endpoint


@endpoint
async def connections_list_wordpress_sites(call: Call) -> dict[str, Any]:
    """List the sites of a WordPress connection. Spec O24."""
    return await offers.wordpress_sites(outside(call), call.id("id"))
