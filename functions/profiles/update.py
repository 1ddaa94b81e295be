from functions.clients import actor
from shared.areas.profiles import service
from shared.areas.profiles.models import UpdateProfile
from shared.runtime import Call, Json, endpoint


@endpoint
async def profiles_update(call: Call, body: UpdateProfile) -> Json:
    """Change one's profile; password and address need the current password. Spec api-accounts PR2."""
    subject, who = call.subject_id, actor(call)
    shortest = call.services.settings.password_min_length
    password_hash = await service.new_hash(call.db, subject, body, who, shortest=shortest)
    async with call.transaction() as tx:
        user = await service.update(tx, subject, body, who, password_hash=password_hash)
    return Json('{"user":' + user + "}")
