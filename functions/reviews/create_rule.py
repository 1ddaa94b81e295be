from shared.areas.reviews import service
from shared.areas.reviews.models import SaveRule
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_create_rule(call: Call, body: SaveRule) -> Json:
    """Make an automation rule."""
    async with call.transaction() as tx:
        return Json(await service.create_rule(tx, call.subject_id, body, by=call.user.id))
