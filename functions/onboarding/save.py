from shared.areas.onboarding import service
from shared.areas.onboarding.models import Save
from shared.runtime import Call, endpoint


@endpoint
async def onboarding_save(call: Call, body: Save) -> dict[str, bool]:
    """Save a draft or a step of the signed-in client, to continue later. Spec api-accounts ON5."""
    async with call.transaction() as tx:
        await service.save(tx, call.subject_id, body)
    return {"success": True}
