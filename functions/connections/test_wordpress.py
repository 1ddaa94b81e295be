from typing import Any

from functions.connections import outside, sites
from shared.areas.connections import wordpress
from shared.areas.connections.models import TestWordPress
from shared.runtime import Call, endpoint


@endpoint
async def connections_test_wordpress(call: Call, body: TestWordPress) -> dict[str, Any]:
    """Try whether a WordPress connection works, and as whom. Spec O26."""
    user = await wordpress.test(outside(call), sites(call), body.connectionId)
    return {"success": True, "message": "The connection works.", "user": user}
