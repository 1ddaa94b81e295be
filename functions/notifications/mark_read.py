from shared.areas.notifications import service
from shared.runtime import Call, endpoint


@endpoint
async def notifications_mark_read(call: Call) -> dict[str, str]:
    """Mark one of the caller's notices as read; anybody else's is a 404. Spec api-accounts NO2."""
    await service.mark_read(call.db, call.user.id, call.id("id"))
    return {"message": "Marked as read."}
