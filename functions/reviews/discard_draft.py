from shared.areas.reviews import service
from shared.areas.reviews.models import DiscardDraft
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_discard_draft(call: Call, body: DiscardDraft) -> Json:
    """Discard a draft."""
    async with call.transaction() as tx:
        shown = await service.discard_draft(tx, call.subject_id, call.id("draft_id"), notes=body.notes, by=call.user.id)
    return Json(shown)
