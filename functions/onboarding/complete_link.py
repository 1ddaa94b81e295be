from shared.areas.onboarding import links, service
from shared.areas.onboarding.models import Complete, Completed
from shared.runtime import Call, endpoint


@endpoint
async def onboarding_complete_link(call: Call, body: Complete) -> Completed:
    """Finish onboarding by link, which is used up. Spec api-accounts ON7."""
    token, shortest = call.path["token"], call.services.settings.password_min_length
    row = await links.find(call.db, token)
    password_hash = await service.password_for_completion(call.db, row["user_id"], body, by=None, shortest=shortest)
    async with call.transaction() as tx:
        return await service.complete_by_link(tx, token, body, password_hash=password_hash)
