from shared.areas.documents import service
from shared.areas.documents.models import SharedEdit
from shared.runtime import Call, Json, endpoint


@endpoint
async def documents_edit_shared(call: Call, body: SharedEdit) -> Json:
    """Change a shared document's texts or its place. Spec api-accounts DO12."""
    return Json('{"shared_doc":' + await service.edit_shared(call.db, call.id("id"), body) + "}")
