from shared.areas.profiles import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def profiles_show(call: Call) -> Json:
    """Show one's own profile, or the acted-as client's. Spec api-accounts PR1."""
    return Json('{"user":' + await service.show(call.db, call.subject_id) + "}")
