from shared.areas.blog import writing
from shared.areas.blog.models import ImageWanted
from shared.runtime import Call, endpoint


@endpoint
async def blog_draw_image(call: Call, body: ImageWanted) -> dict[str, str]:
    """An image for a post, as a data URL. Spec api-leads B8."""
    return await writing.image(call.db, call.services.ai, call.subject_id, body)
