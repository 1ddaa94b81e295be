from starlette.responses import RedirectResponse

from shared.areas.accounts import links
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import VerifyEmailQuery
from shared.runtime import Call, endpoint


@endpoint
async def accounts_verify_email(call: Call, query: VerifyEmailQuery) -> RedirectResponse:
    """Confirm an address by its mailed link, and go on to the login page. Spec api-accounts AU11.

    HEAD, by which mail scanners look at links, uses nothing up.
    """
    browser, outside = recognise(call), await means(call.services)
    verified = False
    if call.request.method != "HEAD":
        async with call.transaction() as tx:
            verified = await links.verify_email(tx, query.token, browser, outside)
    base = outside.settings.client_app_url.rstrip("/")
    return RedirectResponse(f"{base}/pages/login?verified={int(verified)}", 302)
