from shared.areas.accounts import impersonation
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import Impersonate, Session
from shared.errors import Invalid
from shared.runtime import Call, endpoint


@endpoint
async def accounts_impersonate(call: Call, body: Impersonate) -> Session:
    """Sign in as somebody below oneself. Spec api-accounts AU15."""
    target = call.id("userId") if "userId" in call.path else body.user_id
    if target is None:
        raise Invalid("user_id: is missing", code="MISSING_USER_ID")
    browser, outside = recognise(call), await means(call.services)
    async with call.transaction() as tx:
        signed_in = await impersonation.start(
            tx,
            admin_id=call.user.id,
            admin_role=call.user.effective_role,
            session_id=call.user.session_id,
            impersonator_id=call.user.impersonator_id,
            target_id=target,
            browser=browser,
            means=outside,
        )
    signed_in.keep(call.cookies, outside)
    return signed_in.answer(outside)
