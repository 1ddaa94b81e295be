from shared.areas.documents import service
from shared.runtime import Call, endpoint


@endpoint
async def documents_delete(call: Call) -> dict[str, str]:
    """Delete a document that the client uploaded, and its file. Spec api-accounts DO3."""
    async with call.transaction() as tx:
        await service.delete_own(tx, call.subject_id, call.id("id"))
    return {"message": "Document deleted."}
