from functions.connections import surroundings
from shared.areas.clients.audit import actor_of
from shared.areas.connections import apps
from shared.areas.connections.models import UpdateProvider
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_update_provider(call: Call, body: UpdateProvider) -> Json:
    """Change our app; an empty secret stays as it is, absent addresses and notes are emptied. Spec O4."""
    ring = await call.services.key_ring()
    async with call.transaction() as tx:
        shown = await apps.update(tx, call.id("id"), body, ring, surroundings(call), actor_of(call))
        return Json('{"provider":' + shown + "}")
