from shared.areas.brand import service as brand
from shared.areas.brand.models import Asset
from shared.areas.onboarding import links, service
from shared.runtime import Call, endpoint


@endpoint
async def onboarding_delete_brand_link(call: Call) -> dict[str, list[Asset]]:
    """Delete a brand file by link; answers the others. Spec api-accounts ON12."""
    token = call.path["token"]
    async with call.transaction() as tx:
        row = await links.hold(tx, token)
        left = await brand.change_files(tx, row["user_id"], deleted=[call.path["asset_id"]])
    return service.file_list(left, token)
