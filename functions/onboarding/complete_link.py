from shared.areas.accounts.service import means
from shared.areas.onboarding import links, service
from shared.areas.onboarding.models import Complete, Completed
from shared.runtime import Call, endpoint


@endpoint
async def onboarding_complete_link(call: Call, body: Complete) -> Completed:
    """Finish onboarding by link, which is used up. Spec api-accounts ON7."""
    token, outside = call.path["token"], await means(call.services)
    row = await links.find(call.db, token)
    password_hash = await service.password_for_completion(call.db, row["user_id"], body, outside, by=None)
    async with call.transaction() as tx:
        return await service.complete_by_link(tx, token, body, password_hash=password_hash, outside=outside)
