from shared.areas.accounts import links
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import EmailOnly, MailLink, Message
from shared.runtime import Call, endpoint


@endpoint
async def accounts_resend_verification(call: Call, body: EmailOnly) -> Message:
    """Have the link that confirms an address mailed again. Spec api-accounts AU12."""
    browser, outside = recognise(call), await means(call.services)
    async with call.transaction() as tx:
        return await links.ask(tx, MailLink(kind="email_verification", email=body.email), browser, outside)
