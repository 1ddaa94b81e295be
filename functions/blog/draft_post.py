from shared.areas.blog import writing
from shared.areas.blog.models import DraftWanted
from shared.runtime import Call, endpoint


@endpoint
async def blog_draft_post(call: Call, body: DraftWanted) -> dict[str, str]:
    """An article under a title, as HTML. Spec api-leads B7."""
    known = call.services.settings
    content = await writing.draft(
        call.db,
        call.services.ai,
        call.subject_id,
        body.title,
        max_tokens=known.blog_draft_max_tokens,
        timeout_s=known.blog_draft_timeout_s,
    )
    return {"content": content}
