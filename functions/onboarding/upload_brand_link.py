from shared.areas.brand.models import Asset
from shared.areas.onboarding import links, service
from shared.runtime import Call, Form, endpoint


@endpoint
async def onboarding_upload_brand_link(call: Call, body: Form) -> dict[str, list[Asset]]:
    """Keep brand files by link; answers all of them. Spec api-accounts ON10."""
    token = call.path["token"]
    row = await links.find(call.db, token)
    client = row["user_id"]
    kept = await service.keep_brand(call.db, call.services.storage, body, client, by=client)
    async with call.transaction() as tx:
        await links.hold(tx, token)
        return service.file_list(await service.add_brand(tx, client, kept), token)
