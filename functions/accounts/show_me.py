from shared.areas.accounts import mfa, sessions
from shared.areas.accounts.models import Me
from shared.runtime import Call, endpoint


@endpoint
async def accounts_show_me(call: Call) -> Me:
    """Tell who is signed in. Spec api-accounts AU6."""
    user = sessions.session_user(await mfa.own_account(call.db, call.user.id))
    return Me(user=user, effectiveRole=user.effective_role, impersonator=call.user.impersonator_id)
