from shared.areas.documents import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def documents_list_shared(call: Call) -> Json:
    """List the documents shared with everybody. Spec api-accounts DO9."""
    return Json(await service.list_shared(call.db))
