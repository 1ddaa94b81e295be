from functions.blog import outside
from shared.areas.blog import service
from shared.areas.blog.models import PostChanges
from shared.runtime import Call, Json, endpoint


@endpoint
async def blog_update_post(call: Call, body: PostChanges) -> Json:
    """Change a post; what is absent stays. Spec api-leads B4."""
    return Json(await service.update(outside(call), call.subject_id, call.id("id"), body, by=call.user.id))
