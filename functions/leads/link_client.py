from typing import Any

from shared.areas.leads import service
from shared.areas.leads.models import LinkClient
from shared.runtime import Call, endpoint


@endpoint
async def leads_link_client(call: Call, body: LinkClient) -> dict[str, Any]:
    """Link a call to one of the client's active clients. Spec L8."""
    async with call.transaction() as tx:
        return await service.link_client(tx, call.subject_id, call.path["call_id"], body.active_client_id)
