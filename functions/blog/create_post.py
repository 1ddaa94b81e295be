from functions.blog import outside
from shared.areas.blog import service
from shared.areas.blog.models import NewPost
from shared.runtime import Call, Json, endpoint


@endpoint
async def blog_create_post(call: Call, body: NewPost) -> Json:
    """Keep a new post. Spec api-leads B3."""
    return Json(await service.create(outside(call), call.subject_id, body, by=call.user.id))
