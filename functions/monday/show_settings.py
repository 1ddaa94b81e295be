from typing import Any

from shared.areas.monday import service
from shared.runtime import Call, endpoint


@endpoint
async def monday_show_settings(call: Call) -> dict[str, Any]:
    """What holds for every client's board. Spec api-leads M1."""
    return {"settings": await service.show_settings(call.db, call.services.settings.monday_account_url)}
