from shared.areas.accounts import impersonation, sessions
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import Session
from shared.errors import Problem
from shared.runtime import Call, endpoint


@endpoint
async def accounts_stop_impersonating(call: Call) -> Session:
    """Come back to one's own account. Spec api-accounts AU16."""
    browser, outside = recognise(call), await means(call.services)
    async with call.transaction() as tx:
        answer = await impersonation.stop(
            tx,
            user_id=call.user.id,
            session_id=call.user.session_id,
            impersonator_id=call.user.impersonator_id,
            browser=browser,
            means=outside,
        )
    if isinstance(answer, Problem):
        sessions.forget(call.cookies)
        raise answer
    answer.keep(call.cookies, outside)
    return answer.answer(outside)
