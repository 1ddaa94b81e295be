from shared.areas.accounts import sessions
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import Message
from shared.runtime import Call, endpoint


@endpoint
async def accounts_revoke_session(call: Call) -> Message:
    """End one of the caller's sessions; anybody else's is a 404. Spec api-accounts AU18."""
    browser, outside = recognise(call), await means(call.services)
    async with call.transaction() as tx:
        await sessions.revoke_own(tx, call.user.id, call.id("id"), outside, browser)
    return Message(message="The session has been ended.")
