from shared.areas.documents import service
from shared.areas.documents.models import Order
from shared.runtime import Call, endpoint


@endpoint
async def documents_reorder_shared(call: Call, body: Order) -> dict[str, str]:
    """Put the shared documents in a new order, all or none. Spec api-accounts DO14."""
    async with call.transaction() as tx:
        await service.reorder_shared(tx, body)
    return {"message": "Order saved."}
