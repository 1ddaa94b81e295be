from shared.areas.documents import service
from shared.areas.documents.models import ReviewRequest
from shared.areas.emails.telling import telling
from shared.runtime import Call, endpoint


@endpoint
async def documents_review(call: Call, body: ReviewRequest) -> dict[str, str]:
    """Ask a client to review a document, or take that back. Spec api-accounts DO7."""
    async with call.transaction() as tx:
        await service.set_review(tx, body, by=call.user.id, telling=telling(call.services))
    return {"message": "Review requested." if body.review_action == "pending" else "Review cleared."}
