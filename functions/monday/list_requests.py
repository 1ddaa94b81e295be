from typing import Any

from functions.monday import outside
from shared.areas.monday import requests
from shared.runtime import Call, endpoint


@endpoint
async def monday_list_requests(call: Call) -> dict[str, Any]:
    """The client's requests, and their tasks at monday.com. Spec api-leads M7."""
    return await requests.list_all(outside(call), call.subject_id)
