from shared.areas.blog import service
from shared.runtime import Call, Streamed, endpoint


@endpoint
async def blog_serve_image(call: Call) -> Streamed:
    """An image of a post, for whoever reads it on the client's own site."""
    opened = await service.open_image(call.db, call.services.storage, call.id("id"))
    return Streamed(opened.stream, opened.headers)
