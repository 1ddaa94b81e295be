from shared.areas.reviews import service
from shared.areas.reviews.models import ListReviews
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_list(call: Call, query: ListReviews) -> Json:
    """List the reviews of the client: filtered, searched, sorted, paged. Spec api-reviews, list."""
    return Json(await service.list_reviews(call.db, call.subject_id, query))
