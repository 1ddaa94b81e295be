from typing import Any

from functions.leads import outside
from shared.areas.leads import sync
from shared.runtime import Call, endpoint


@endpoint
async def leads_show_sync(call: Call) -> dict[str, Any]:
    """Tell how far the client's sync is: pages, calls, classified, errors, finished."""
    return await sync.progress(outside(call), call.subject_id)
