from functions.connections import outside, sites
from shared.areas.clients.audit import actor_of
from shared.areas.connections import wordpress
from shared.areas.connections.models import ConnectWordPress
from shared.runtime import Call, Json, endpoint


@endpoint
async def connections_connect_wordpress(call: Call, body: ConnectWordPress) -> Json:
    """Connect a WordPress site with an application password, once it has worked. Spec O25."""
    beyond = outside(call)
    consent = await wordpress.prove(beyond, sites(call), body)
    async with call.transaction() as tx:
        shown = await wordpress.save(tx, beyond, body.clientId, consent, actor_of(call))
    return Json('{"connection":' + shown + ',"message":"WordPress connected."}')
