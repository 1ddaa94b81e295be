from typing import Any

from functions.monday import outside
from shared.areas.monday import service
from shared.runtime import Call, endpoint


@endpoint
async def monday_list_groups(call: Call) -> dict[str, Any]:
    """A board's groups. Spec api-leads M4."""
    return {"success": True, "groups": await service.groups(outside(call), call.path["board_id"])}
