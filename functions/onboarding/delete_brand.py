from shared.areas.brand import service as brand
from shared.areas.brand.models import Asset
from shared.areas.onboarding import service
from shared.runtime import Call, endpoint


@endpoint
async def onboarding_delete_brand(call: Call) -> dict[str, list[Asset]]:
    """Delete a brand file of the signed-in client; answers the others. Spec api-accounts ON13."""
    await service.require_client(call.db, call.subject_id)
    async with call.transaction() as tx:
        left = await brand.change_files(tx, call.subject_id, deleted=[call.path["asset_id"]])
    return service.file_list(left, None)
