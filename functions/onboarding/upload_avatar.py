from shared.areas.onboarding import service
from shared.areas.profiles import service as profiles
from shared.runtime import Call, Form, endpoint


@endpoint
async def onboarding_upload_avatar(call: Call, body: Form) -> dict[str, str]:
    """Make a picture the signed-in client's avatar. Spec api-accounts ON9."""
    subject = call.subject_id
    await service.require_client(call.db, subject)
    uploads = body.files("avatar", at_most=1)
    kept = await profiles.keep_avatar(call.db, call.services.storage, uploads, subject, by=call.user.id)
    async with call.transaction() as tx:
        return {"avatar_url": await profiles.set_avatar(tx, subject, kept)}
