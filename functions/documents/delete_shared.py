from shared.areas.documents import service
from shared.runtime import Call, endpoint


@endpoint
async def documents_delete_shared(call: Call) -> dict[str, str]:
    """Delete a shared document and its file. Spec api-accounts DO13."""
    async with call.transaction() as tx:
        await service.delete_shared(tx, call.id("id"))
    return {"message": "Document deleted."}
