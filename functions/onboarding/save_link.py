from shared.areas.onboarding import links, service
from shared.areas.onboarding.models import Save
from shared.runtime import Call, endpoint


@endpoint
async def onboarding_save_link(call: Call, body: Save) -> dict[str, bool]:
    """Save a draft or a step by link. Spec api-accounts ON4, seeds DATA_FLOWS §1."""
    async with call.transaction() as tx:
        row = await links.hold(tx, call.path["token"])
        await service.save(tx, row["user_id"], body)
    return {"success": True}
