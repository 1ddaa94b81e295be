from shared.areas.reviews import requests
from shared.areas.reviews.models import ListRequests
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_list_requests(call: Call, query: ListRequests) -> Json:
    """List the client's requests for reviews, newest first."""
    base = call.services.settings.app_base_url.rstrip("/")
    return Json(await requests.list_requests(call.db, call.subject_id, query, base=base))
