from typing import Any

from shared.areas.clients import service
from shared.areas.clients.audit import actor_of
from shared.areas.clients.models import CreateClient
from shared.areas.onboarding.links import mailing
from shared.runtime import Call, endpoint


@endpoint(status=201)
async def clients_create(call: Call, body: CreateClient) -> dict[str, Any]:
    """Create an account; a client is mailed an invitation. Spec api-accounts CL2, seeds DATA_FLOWS §1."""
    async with call.transaction() as tx:
        created = await service.create(tx, body, actor_of(call), mailing(call.services))
    return {"client": created, "created": True}
