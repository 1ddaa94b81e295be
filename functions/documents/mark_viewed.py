from shared.areas.documents import service
from shared.runtime import Call, endpoint


@endpoint
async def documents_mark_viewed(call: Call) -> dict[str, str]:
    """The client has looked at a document; staff hears of it if a review was asked for. Spec api-accounts DO4."""
    settings = call.services.settings
    telling = service.Telling(settings.app_base_url, call.services.key_ring)
    async with call.transaction() as tx:
        await service.mark_viewed(
            tx, call.subject_id, call.path["id"], defaults=settings.default_documents, telling=telling
        )
    return {"message": "Marked as viewed."}
