from typing import Any

from functions.monday import outside
from shared.areas.monday import service
from shared.runtime import Call, endpoint


@endpoint
async def monday_list_people(call: Call) -> dict[str, Any]:
    """Who is at monday.com; nobody, with a warning, where it fails. Spec api-leads M6."""
    return await service.people(outside(call))
