from shared.areas.accounts import sessions, sign_in
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import MfaChallenge, Session, SignIn
from shared.runtime import Call, endpoint


@endpoint
async def accounts_sign_in(call: Call, body: SignIn) -> Session | MfaChallenge:
    """Sign in with a password, or be asked for a one-time code. Spec api-accounts AU1."""
    call.refuse_foreign_pages()
    browser, outside = recognise(call, body), await means(call.services)
    proven = await sign_in.check_password(call.db, body, browser, outside)
    async with call.transaction() as tx:
        answer = await sign_in.proceed(tx, proven, body, browser, outside)
    if isinstance(answer, MfaChallenge):
        sessions.keep_device(call.cookies, browser)
        return answer
    answer.keep(call.cookies, outside, browser)
    return answer.answer(outside)
