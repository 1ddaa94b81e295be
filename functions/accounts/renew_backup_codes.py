from shared.areas.accounts import mfa
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import BackupCodes, Proof
from shared.runtime import Call, endpoint


@endpoint
async def accounts_renew_backup_codes(call: Call, body: Proof) -> BackupCodes:
    """Make new backup codes in place of the old ones; answers them once."""
    browser, outside = recognise(call), await means(call.services)
    account = await mfa.require_owner(call.db, call.user, body.password, outside, browser)
    async with call.transaction() as tx:
        signed_in, codes = await mfa.renew_backup_codes(tx, account, browser, outside)
    signed_in.keep(call.cookies, outside, browser)
    return BackupCodes(**dict(signed_in.answer(outside)), backupCodes=codes)
