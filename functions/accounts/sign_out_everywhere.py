from shared.areas.accounts import sessions
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import Message, SignOutEverywhere
from shared.runtime import Call, endpoint


@endpoint
async def accounts_sign_out_everywhere(call: Call, body: SignOutEverywhere) -> Message:
    """End all of the caller's sessions, or all others. Spec api-accounts AU8."""
    browser, outside = recognise(call), await means(call.services)
    kept = call.user.session_id if body.keepCurrent else None
    async with call.transaction() as tx:
        await sessions.revoke_all(tx, call.user.id, "user_logout_all", outside, browser, but=kept)
    if kept is not None:
        return Message(message="All other sessions have been ended.")
    sessions.forget(call.cookies)
    return Message(message="All sessions have been ended.")
