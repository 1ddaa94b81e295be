from shared.areas.blog import writing
from shared.runtime import Call, endpoint


@endpoint
async def blog_suggest_ideas(call: Call) -> dict[str, list[str]]:
    """Titles for posts, from what the client tells of the business. Spec api-leads B6."""
    return {"ideas": await writing.ideas(call.db, call.services.ai, call.subject_id)}
