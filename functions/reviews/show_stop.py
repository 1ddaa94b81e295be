from starlette.responses import HTMLResponse

from shared.areas.reviews import pages, requests
from shared.runtime import Call, endpoint


@endpoint
async def reviews_show_stop(call: Call) -> HTMLResponse:
    """Ask whether a customer wants no more requests: mail scanners open links, so opening one changes nothing."""
    return HTMLResponse(pages.ask(await requests.business_of(call.db, call.path["token"])))
