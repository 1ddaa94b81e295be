from typing import Any

from functions.connections import outside
from shared.areas.connections import offers
from shared.runtime import Call, endpoint


@endpoint
async def connections_show_tiktok_account(call: Call) -> dict[str, Any]:
    """Show the account of a TikTok connection with its public figures. Spec O23."""
    return await offers.tiktok_account(outside(call), call.id("id"))
