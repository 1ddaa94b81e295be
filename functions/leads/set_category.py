from typing import Any

from shared.areas.leads import service
from shared.areas.leads.models import SetCategory
from shared.runtime import Call, endpoint


@endpoint
async def leads_set_category(call: Call, body: SetCategory) -> dict[str, Any]:
    """Choose a call's category; nothing automatic changes it afterwards. Spec L7."""
    async with call.transaction() as tx:
        return await service.set_category(tx, call.subject_id, call.path["call_id"], body.category)
