from typing import Any

from shared.areas.clients import service
from shared.areas.clients.models import AddPresets
from shared.runtime import Call, endpoint


@endpoint
async def clients_add_presets(call: Call, body: AddPresets) -> dict[str, Any]:
    """Add services by name to a client; those they have are skipped. Spec api-accounts CL9."""
    async with call.transaction() as tx:
        created, skipped = await service.add_presets(tx, call.id("id"), body.services)
    return {"created": created, "skipped": skipped}
