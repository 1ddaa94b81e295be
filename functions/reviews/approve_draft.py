from shared.areas.reviews import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_approve_draft(call: Call) -> Json:
    """Approve a draft."""
    async with call.transaction() as tx:
        return Json(await service.approve_draft(tx, call.subject_id, call.id("draft_id"), by=call.user.id))
