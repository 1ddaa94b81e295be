from shared.areas.documents import service
from shared.areas.emails.telling import telling
from shared.runtime import Call, endpoint


@endpoint
async def documents_mark_viewed(call: Call) -> dict[str, str]:
    """The client has looked at a document; staff hears of it if a review was asked for. Spec api-accounts DO4."""
    defaults = call.services.settings.default_documents
    async with call.transaction() as tx:
        await service.mark_viewed(
            tx, call.subject_id, call.path["id"], defaults=defaults, telling=telling(call.services)
        )
    return {"message": "Marked as viewed."}
