from shared.areas.accounts import links
from shared.areas.accounts.devices import recognise
from shared.areas.accounts.means import means
from shared.areas.accounts.models import Register, Registered
from shared.runtime import Call, endpoint


@endpoint(status=201)
async def accounts_register(call: Call, body: Register) -> Registered:
    """Make an account for oneself, where that is switched on. Spec api-accounts AU4."""
    browser, outside = recognise(call), await means(call.services)
    password_hash = await links.check_registration(call.db, body, browser, outside)
    async with call.transaction() as tx:
        return await links.register(tx, body, password_hash, browser, outside)
