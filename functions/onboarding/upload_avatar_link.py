from shared.areas.onboarding import links
from shared.areas.profiles import service as profiles
from shared.runtime import Call, Form, endpoint


@endpoint
async def onboarding_upload_avatar_link(call: Call, body: Form) -> dict[str, str]:
    """Make a picture the client's avatar, by link. Spec api-accounts ON8."""
    token = call.path["token"]
    row = await links.find(call.db, token)
    client, uploads = row["user_id"], body.files("avatar", at_most=1)
    kept = await profiles.keep_avatar(call.db, call.services.storage, uploads, client, by=client)
    async with call.transaction() as tx:
        await links.hold(tx, token)
        return {"avatar_url": await profiles.set_avatar(tx, client, kept)}
