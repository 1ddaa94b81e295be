from shared.areas.notifications import service
from shared.runtime import Call, endpoint


@endpoint
async def notifications_mark_all_read(call: Call) -> dict[str, str]:
    """Mark all of the caller's notices as read. Spec api-accounts NO3."""
    await service.mark_all_read(call.db, call.user.id)
    return {"message": "All marked as read."}
