from shared.areas.reviews import service
from shared.areas.reviews.models import SaveNotes
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_save_notes(call: Call, body: SaveNotes) -> Json:
    """Keep internal notes about a review."""
    async with call.transaction() as tx:
        return Json(await service.save_notes(tx, call.subject_id, call.id("id"), body.notes))
