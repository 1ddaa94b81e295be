from shared.areas.connections import apps
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_show_provider(call: Call) -> Json:
    """Show one of our apps; its secret stays here. Spec O2."""
    return Json('{"provider":' + await apps.show(call.db, call.id("id")) + "}")
