from shared.areas.blog import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def blog_list_posts(call: Call) -> Json:
    """The client's posts, newest change first. Spec api-leads B1."""
    return Json(await service.list_own(call.db, call.subject_id))
