from shared.areas.accounts import sessions
from shared.areas.accounts.models import Me
from shared.runtime import Call, endpoint


@endpoint
async def accounts_show_me(call: Call) -> Me:
    """Tell who is signed in; the session check has read it all. Spec api-accounts AU6."""
    user = sessions.session_user(call.user)
    return Me(user=user, effectiveRole=user.effective_role, impersonator=call.user.impersonator_id)
