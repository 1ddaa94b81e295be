from typing import Any

from shared.areas.monday import service
from shared.areas.monday.models import MondaySettings
from shared.runtime import Call, endpoint


@endpoint
async def monday_save_settings(call: Call, body: MondaySettings) -> dict[str, Any]:
    """Change what holds for every client's board; what is not sent stays. Spec api-leads M2."""
    return {"settings": await service.save_settings(call.db, body, call.services.settings.monday_account_url)}
