from shared.areas.accounts import sign_in
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import Session, VerifyMfa
from shared.errors import Problem
from shared.runtime import Call, endpoint


@endpoint
async def accounts_verify_mfa(call: Call, body: VerifyMfa) -> Session:
    """Finish signing in with a one-time code. Spec api-accounts AU2."""
    call.refuse_foreign_pages()
    browser, outside = recognise(call, body), await means(call.services)
    async with call.transaction() as tx:
        answer = await sign_in.verify_code(tx, body, browser, outside)
    if isinstance(answer, Problem):
        raise answer
    answer.keep(call.cookies, outside, browser)
    return answer.answer(outside)
