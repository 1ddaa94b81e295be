from shared.areas.accounts import sign_in
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import ResendMfa, Resent
from shared.runtime import Call, endpoint


@endpoint
async def accounts_resend_mfa(call: Call, body: ResendMfa) -> Resent:
    """Mail a new one-time code for a sign-in under way. Spec api-accounts AU3."""
    browser, outside = recognise(call), await means(call.services)
    async with call.transaction() as tx:
        return await sign_in.resend_code(tx, body.challengeId, browser, outside)
