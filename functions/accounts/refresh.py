from shared.areas.accounts import sessions
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import Refreshed
from shared.errors import Unauthorized
from shared.runtime import Call, endpoint


@endpoint
async def accounts_refresh(call: Call) -> Refreshed:
    """Exchange the refresh cookie for an access token and the next cookie. Spec api-accounts AU5."""
    call.refuse_foreign_pages()
    token = call.request.cookies.get(sessions.REFRESH_COOKIE, "")
    if not token:
        raise Unauthorized("Please sign in.", code="NO_REFRESH_TOKEN")
    browser, outside = recognise(call), await means(call.services)
    try:
        renewed = await sessions.refresh(call.db, token, browser, outside)
    except sessions.RefreshFailed:
        sessions.forget(call.cookies)
        raise
    renewed.keep(call.cookies, outside)
    return renewed.refreshed(outside)
