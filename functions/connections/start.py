from functions.connections import outside, provider_of, surroundings
from shared.areas.clients.audit import actor_of
from shared.areas.connections import consents
from shared.areas.connections.models import Connect, StartConnect
from shared.runtime import Call, endpoint


@endpoint
async def connections_start(call: Call, body: StartConnect) -> Connect:
    """Begin to connect a client's account: the vendor's consent page, for this browser. Spec O11-O14."""
    url = await consents.start(
        outside(call),
        surroundings(call),
        call.services.firestore,
        call.cookies,
        provider_of(call),
        body.clientId,
        actor_of(call),
    )
    return Connect(authUrl=url)
