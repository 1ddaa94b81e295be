from shared.areas.profiles import service
from shared.runtime import Call, Form, endpoint


@endpoint
async def profiles_upload_avatar(call: Call, body: Form) -> dict[str, str]:
    """Make a picture one's avatar. Spec api-accounts PR3."""
    subject = call.subject_id
    uploads = body.files("avatar", at_most=1)
    kept = await service.keep_avatar(call.db, call.services.storage, uploads, subject, by=call.user.id)
    async with call.transaction() as tx:
        return {"avatar_url": await service.set_avatar(tx, subject, kept)}
