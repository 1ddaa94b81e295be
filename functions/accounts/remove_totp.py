from shared.areas.accounts import mfa
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import Proof, Session
from shared.runtime import Call, endpoint


@endpoint
async def accounts_remove_totp(call: Call, body: Proof) -> Session:
    """Turn the authenticator app off; codes come by mail again."""
    browser, outside = recognise(call), await means(call.services)
    account = await mfa.require_owner(call.db, call.user, body.password, outside, browser)
    async with call.transaction() as tx:
        signed_in = await mfa.disable_totp(tx, account, browser, outside)
    signed_in.keep(call.cookies, outside, browser)
    return signed_in.answer(outside)
