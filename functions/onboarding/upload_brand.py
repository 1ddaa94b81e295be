from shared.areas.brand.models import Asset
from shared.areas.onboarding import service
from shared.runtime import Call, Form, endpoint


@endpoint
async def onboarding_upload_brand(call: Call, body: Form) -> dict[str, list[Asset]]:
    """Keep brand files of the signed-in client; answers all of them. Spec api-accounts ON11."""
    subject = call.subject_id
    await service.require_client(call.db, subject)
    kept = await service.keep_brand(call.db, call.services.storage, body, subject, by=call.user.id)
    async with call.transaction() as tx:
        return service.file_list(await service.add_brand(tx, subject, kept), None)
