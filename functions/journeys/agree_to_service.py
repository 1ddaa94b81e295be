from typing import Any

from shared.areas.journeys import active_clients
from shared.areas.journeys.models import Agreement
from shared.runtime import Call, endpoint


@endpoint
async def journeys_agree_to_service(call: Call, body: Agreement) -> dict[str, Any]:
    """A lead, or somebody named, agrees to services and is an active client, once. Seeds DATA_FLOWS §4, spec C2."""
    async with call.transaction() as tx:
        client_id = await active_clients.agree(tx, call.subject_id, body, call.path.get("lead_id"))
    return {"success": True, "active_client_id": str(client_id)}
