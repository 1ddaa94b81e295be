from functions.reviews import outside
from shared.areas.reviews import requests
from shared.areas.reviews.models import CreateRequest
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_create_request(call: Call, body: CreateRequest) -> Json:
    """Ask a customer for a review, by mail or with a link to hand on."""
    return Json(await requests.create(outside(call), call.subject_id, body, by=call.user.id))
