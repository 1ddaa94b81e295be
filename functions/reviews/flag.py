from shared.areas.reviews import service
from shared.areas.reviews.models import FlagReview
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_flag(call: Call, body: FlagReview) -> Json:
    """Flag a review, or take the flag away."""
    async with call.transaction() as tx:
        return Json(
            await service.flag(
                tx, call.subject_id, call.id("id"), flagged=body.flagged, reason=body.reason, by=call.user.id
            )
        )
