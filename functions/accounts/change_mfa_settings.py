from shared.areas.accounts import mfa
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import ChangeMfa, Session
from shared.runtime import Call, endpoint


@endpoint
async def accounts_change_mfa_settings(call: Call, body: ChangeMfa) -> Session:
    """Change when and how the caller is asked for a code; every session ends and one begins."""
    browser, outside = recognise(call), await means(call.services)
    account = await mfa.require_owner(call.db, call.user, body.password, outside, browser)
    async with call.transaction() as tx:
        signed_in = await mfa.change(tx, account, body, browser, outside)
    signed_in.keep(call.cookies, outside, browser)
    return signed_in.answer(outside)
