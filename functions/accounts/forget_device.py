from shared.areas.accounts import sessions
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import Message
from shared.runtime import Call, endpoint


@endpoint
async def accounts_forget_device(call: Call) -> Message:
    """Trust a device no longer; the path names its ``deviceId``. Spec api-accounts AU20."""
    browser, outside = recognise(call), await means(call.services)
    async with call.transaction() as tx:
        await sessions.forget_device(tx, call.user.id, call.id("id"), outside, browser)
    return Message(message="The device is no longer trusted.")
