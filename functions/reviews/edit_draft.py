from shared.areas.reviews import service
from shared.areas.reviews.models import EditDraft
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_edit_draft(call: Call, body: EditDraft) -> Json:
    """Reword a draft, which then has to be approved anew."""
    async with call.transaction() as tx:
        return Json(await service.edit_draft(tx, call.subject_id, call.id("draft_id"), body.text))
