from starlette.responses import RedirectResponse

from shared.areas.reviews import requests
from shared.runtime import Call, endpoint


@endpoint
async def reviews_follow_link(call: Call) -> RedirectResponse:
    """Send a customer to the page where reviews are written, and note that they came."""
    return RedirectResponse(await requests.follow(call.db, call.path["token"]), 302, {"Cache-Control": "no-store"})
