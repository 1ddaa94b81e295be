from shared.areas.reviews import service
from shared.areas.reviews.models import SaveRule
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_update_rule(call: Call, body: SaveRule) -> Json:
    """Change an automation rule."""
    async with call.transaction() as tx:
        return Json(await service.update_rule(tx, call.subject_id, call.id("id"), body))
