from shared.areas.accounts import links, sessions
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import PasswordSet, ResetPassword
from shared.runtime import Call, endpoint


@endpoint
async def accounts_reset_password(call: Call, body: ResetPassword) -> PasswordSet:
    """Set a new password by a mailed link; signs nobody in. Spec api-accounts AU10."""
    call.refuse_foreign_pages()
    browser, outside = recognise(call), await means(call.services)
    new = await links.check_reset(call.db, body, browser, outside)
    async with call.transaction() as tx:
        answer = await links.reset_password(tx, new, browser, outside)
    sessions.forget(call.cookies)
    return answer
