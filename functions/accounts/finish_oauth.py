from starlette.responses import RedirectResponse

from shared.areas.accounts import providers
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import FinishOAuthQuery
from shared.errors import VendorError
from shared.runtime import Call, endpoint, log


@endpoint
async def accounts_finish_oauth(call: Call, query: FinishOAuthQuery) -> RedirectResponse:
    """Sign in whoever comes back from Google or Microsoft. Spec api-accounts AU14."""
    provider = providers.require_known(call.path["provider"])
    browser, outside = recognise(call), await means(call.services)
    try:
        openid = await call.services.openid(provider) if outside.settings.provider_sign_in_enabled else None
        if openid is None:
            raise providers.NotSignedIn("not_configured")
        returned = await providers.finish(
            call.services.firestore,
            openid,
            provider,
            code=query.code,
            state=query.state,
            cookie=call.request.cookies.get(providers.cookie_name(provider)),
            jar=call.cookies,
            means=outside,
        )
        async with call.transaction() as tx:
            answer = await providers.sign_in(tx, provider, returned.person, browser, outside)
        if isinstance(answer, str):
            raise providers.NotSignedIn(answer)
    except providers.NotSignedIn as ended:
        return RedirectResponse(providers.login_page(outside, ended.why), 302)
    except VendorError as error:
        log.warning("oauth_failed", reason=str(error))
        return RedirectResponse(providers.login_page(outside, "failed"), 302)
    answer.keep(call.cookies, outside, browser)
    return RedirectResponse(f"{providers.dashboard(outside)}{returned.return_to}", 302)
