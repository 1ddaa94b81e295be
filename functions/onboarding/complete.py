from shared.areas.accounts.service import means
from shared.areas.clients.audit import actor_of
from shared.areas.onboarding import service
from shared.areas.onboarding.models import Complete, Completed
from shared.runtime import Call, endpoint


@endpoint
async def onboarding_complete(call: Call, body: Complete) -> Completed:
    """Finish onboarding, once. Spec api-accounts ON3, seeds DATA_FLOWS §1."""
    subject, actor, outside = call.subject_id, actor_of(call), await means(call.services)
    password_hash = await service.password_for_completion(call.db, subject, body, outside, by=actor)
    async with call.transaction() as tx:
        return await service.complete(tx, subject, body, password_hash=password_hash, actor=actor, outside=outside)
