from shared.areas.connections import apps
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_list_providers(call: Call) -> Json:
    """List our apps at the vendors, never with a secret. Spec O1."""
    return Json('{"providers":' + await apps.list_all(call.db) + "}")
