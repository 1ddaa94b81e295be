from shared.areas.blog import service
from shared.runtime import Call, endpoint


@endpoint
async def blog_delete_post(call: Call) -> dict[str, bool]:
    """Delete a post with its images. Spec api-leads B5."""
    async with call.transaction() as tx:
        await service.delete(tx, call.subject_id, call.id("id"))
    return {"success": True}
