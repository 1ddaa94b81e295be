from functions.reviews import outside
from shared.areas.reviews import service
from shared.areas.reviews.models import DraftResponse
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_draft_response(call: Call, body: DraftResponse) -> Json:
    """Have the AI draft a reply. Seeds DATA_FLOWS §7, INTEGRATIONS §3."""
    world, owner = outside(call), call.subject_id
    return Json(await service.draft_response(world, owner, call.id("id"), body, by=call.user.id))
