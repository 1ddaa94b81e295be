from shared.areas.accounts import mfa
from shared.areas.accounts.models import MfaSettings
from shared.runtime import Call, endpoint


@endpoint
async def accounts_show_mfa_settings(call: Call) -> MfaSettings:
    """Tell how the caller's second factor is set. Spec api-accounts AU21."""
    return mfa.shown(await mfa.own_account(call.db, call.user.id))
