from starlette.responses import Response

from shared.areas.profiles import service
from shared.runtime import Call, Streamed, endpoint

CACHE = "public, max-age=86400"


@endpoint
async def profiles_serve_avatar(call: Call) -> Response:
    """Send a user's avatar to anybody. Spec api-accounts PR4."""
    found = await service.open_avatar(call.db, call.services.storage, call.id("id"), cache=CACHE)
    if isinstance(found, tuple):
        data, kind = found
        return Response(data, media_type=kind, headers={"Cache-Control": CACHE})
    return Streamed(found.stream, found.headers)
