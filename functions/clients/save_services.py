from shared.areas.clients import service
from shared.areas.clients.models import SaveServices
from shared.runtime import Call, Json, endpoint


@endpoint
async def clients_save_services(call: Call, body: SaveServices) -> Json:
    """Make a list the client's services; what is left out becomes inactive. Spec api-accounts CL11."""
    items = [given.item() for given in body.services]
    async with call.transaction() as tx:
        return Json('{"services":' + await service.save_services(tx, call.id("id"), items) + "}")
