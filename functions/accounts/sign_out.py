from shared.areas.accounts import sessions
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.runtime import Call, endpoint


@endpoint
async def accounts_sign_out(call: Call) -> None:
    """End the session of the token or the refresh cookie, if any. Spec api-accounts AU7."""
    call.refuse_foreign_pages()
    browser, outside = recognise(call), await means(call.services)
    cookies = call.request.cookies
    async with call.transaction() as tx:
        await sessions.sign_out(
            tx,
            outside,
            browser,
            bearer=call.bearer or cookies.get(sessions.SESSION_COOKIE),
            refresh_token=cookies.get(sessions.REFRESH_COOKIE),
        )
    sessions.forget(call.cookies)
