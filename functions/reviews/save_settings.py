from shared.areas.reviews import service
from shared.areas.reviews.models import SaveSettings
from shared.runtime import Call, Json, endpoint


@endpoint
async def reviews_save_settings(call: Call, body: SaveSettings) -> Json:
    """Change the settings that are sent; the others stay."""
    async with call.transaction() as tx:
        return Json(await service.save_settings(tx, call.subject_id, body))
