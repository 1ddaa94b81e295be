from shared.areas.documents import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def documents_list_shared_admin(call: Call) -> Json:
    """List the shared documents with who shared them. Spec api-accounts DO10."""
    return Json(await service.list_shared_admin(call.db))
