from starlette.responses import HTMLResponse

from shared.areas.reviews import pages, requests
from shared.runtime import Call, endpoint


@endpoint
async def reviews_stop_requests(call: Call) -> HTMLResponse:
    """Ask this customer no more for reviews of this business."""
    async with call.transaction() as tx:
        await requests.stop(tx, call.path["token"])
    return HTMLResponse(pages.done())
