from typing import Any

from shared.areas.leads import service
from shared.areas.leads.models import Rate
from shared.runtime import Call, endpoint


@endpoint
async def leads_rate_call(call: Call, body: Rate) -> dict[str, Any]:
    """Rate a call with 1 to 5 stars, here and in CTM; its category follows. Spec L5."""
    async with call.transaction() as tx:
        return await service.rate(tx, call.subject_id, call.path["call_id"], body.score)
