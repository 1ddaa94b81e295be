from shared.areas.accounts import passwords
from shared.areas.accounts.models import PasswordRules
from shared.runtime import Call, endpoint


@endpoint
async def accounts_show_password_rules(call: Call) -> PasswordRules:
    """Tell what a password must be like. Spec api-accounts AU22."""
    shortest = call.services.settings.password_min_length
    return PasswordRules(minLength=shortest, description=passwords.requirements(shortest))
