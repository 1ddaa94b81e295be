from shared.areas.accounts import mfa
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import Proof, TotpOffer
from shared.runtime import Call, endpoint


@endpoint
async def accounts_offer_totp(call: Call, body: Proof) -> TotpOffer:
    """Give the caller a secret for an authenticator app; it counts once confirmed with a code."""
    browser, outside = recognise(call), await means(call.services)
    account = await mfa.require_owner(call.db, call.user, body.password, outside, browser)
    return await mfa.offer_totp(call.db, account, outside)
