from shared.areas.reviews import requests
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_show_request(call: Call) -> Json:
    """One request for a review."""
    base = call.services.settings.app_base_url.rstrip("/")
    return Json(await requests.show(call.db, call.subject_id, call.id("id"), base=base))
