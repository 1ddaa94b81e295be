from shared.areas.accounts import mfa
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import BackupCodes, ConfirmTotp
from shared.errors import Problem
from shared.runtime import Call, endpoint


@endpoint
async def accounts_confirm_totp(call: Call, body: ConfirmTotp) -> BackupCodes:
    """Turn the authenticator app on with a first code of it; answers the backup codes, once."""
    mfa.refuse_impersonators(call.user)
    browser, outside = recognise(call), await means(call.services)
    async with call.transaction() as tx:
        answer = await mfa.confirm_totp(tx, call.user.id, body.code, browser, outside)
    if isinstance(answer, Problem):
        raise answer
    signed_in, codes = answer
    signed_in.keep(call.cookies, outside, browser)
    return BackupCodes(**dict(signed_in.answer(outside)), backupCodes=codes)
