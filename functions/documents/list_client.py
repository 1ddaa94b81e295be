from shared.areas.documents import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def documents_list_client(call: Call) -> Json:
    """List a client's documents for an admin. Spec api-accounts DO5."""
    defaults = call.services.settings.default_documents
    return Json(await service.list_clients(call.db, call.id("id"), defaults=defaults))
