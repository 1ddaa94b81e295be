from shared.areas.documents import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def documents_list(call: Call) -> Json:
    """List the client's documents, the ones for everybody first. Spec api-accounts DO1."""
    return Json(await service.list_own(call.db, call.subject_id, defaults=call.services.settings.default_documents))
