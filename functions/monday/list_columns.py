from typing import Any

from functions.monday import outside
from shared.areas.monday import service
from shared.runtime import Call, endpoint


@endpoint
async def monday_list_columns(call: Call) -> dict[str, Any]:
    """A board's columns. Spec api-leads M5."""
    return {"success": True, "columns": await service.columns(outside(call), call.path["board_id"])}
