from typing import Any

from functions.monday import outside
from shared.areas.monday import service
from shared.areas.monday.models import BoardsQuery
from shared.runtime import Call, endpoint


@endpoint
async def monday_list_boards(call: Call, query: BoardsQuery) -> dict[str, Any]:
    """The account's boards. Spec api-leads M3."""
    return {"success": True, "boards": await service.boards(outside(call), query.search)}
