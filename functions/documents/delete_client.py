from shared.areas.documents import service
from shared.areas.documents.models import ClientOnly
from shared.runtime import Call, endpoint


@endpoint
async def documents_delete_client(call: Call, body: ClientOnly) -> dict[str, str]:
    """Delete a client's document, and its file, as an admin. Spec api-accounts DO8."""
    async with call.transaction() as tx:
        await service.delete_clients(tx, body.user_id, call.id("id"))
    return {"message": "Document deleted."}
