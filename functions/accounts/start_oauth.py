from starlette.responses import RedirectResponse

from shared.areas.accounts import providers
from shared.areas.accounts.means import means
from shared.areas.accounts.models import StartOAuthQuery
from shared.errors import NotFound, VendorError
from shared.runtime import Call, endpoint, log


@endpoint
async def accounts_start_oauth(call: Call, query: StartOAuthQuery) -> RedirectResponse:
    """Send the browser to Google or Microsoft to sign in. Spec api-accounts AU13."""
    provider = providers.require_known(call.path["provider"])
    outside = await means(call.services)
    navigates = "text/html" in call.request.headers.get("accept", "")  # a person, whom JSON would leave stranded
    try:
        openid = await call.services.openid(provider) if outside.settings.provider_sign_in_enabled else None
        if openid is None:
            if navigates:
                return RedirectResponse(providers.login_page(outside, "not_configured"), 302)
            raise NotFound("Sign-in with this provider is not switched on.", code="OAUTH_NOT_CONFIGURED")
        url = await providers.start(call.services.firestore, openid, provider, query.returnTo, call.cookies, outside)
    except VendorError as error:
        if not navigates:
            raise
        log.warning("oauth_failed", reason=str(error))
        return RedirectResponse(providers.login_page(outside, "failed"), 302)
    return RedirectResponse(url, 302)
