from functions.connections import surroundings
from shared.areas.clients.audit import actor_of
from shared.areas.connections import apps
from shared.areas.connections.models import CreateProvider
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_create_provider(call: Call, body: CreateProvider) -> Json:
    """Keep our app at a vendor, one for each; its secret is sealed. Spec O3."""
    ring = await call.services.key_ring()
    async with call.transaction() as tx:
        return Json('{"provider":' + await apps.create(tx, body, ring, surroundings(call), actor_of(call)) + "}")
