from shared.areas.accounts.service import means
from shared.areas.clients.audit import actor_of
from shared.areas.profiles import service
from shared.areas.profiles.models import UpdateProfile
from shared.runtime import Call, Json, endpoint


@endpoint
async def profiles_update(call: Call, body: UpdateProfile) -> Json:
    """Change one's profile; password and address need the current password. Spec api-accounts PR2."""
    subject, actor, outside = call.subject_id, actor_of(call), await means(call.services)
    password_hash = await service.new_hash(call.db, subject, body, actor, outside)
    async with call.transaction() as tx:
        user = await service.update(tx, subject, body, actor, outside, password_hash=password_hash)
    return Json('{"user":' + user + "}")
