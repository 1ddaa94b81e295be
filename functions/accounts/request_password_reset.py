from shared.areas.accounts import links
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import EmailOnly, MailLink, Message
from shared.runtime import Call, endpoint


@endpoint
async def accounts_request_password_reset(call: Call, body: EmailOnly) -> Message:
    """Have a link mailed that sets a new password; the answer never tells who has an account. Spec api-accounts AU9."""
    browser, outside = recognise(call), await means(call.services)
    async with call.transaction() as tx:
        return await links.ask(tx, MailLink(kind="password_reset", email=body.email), browser, outside)
