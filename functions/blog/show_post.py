from shared.areas.blog import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def blog_show_post(call: Call) -> Json:
    """One post; one of anybody else is a 404. Spec api-leads B2."""
    return Json(await service.show(call.db, call.subject_id, call.id("id")))
