from typing import Any

from shared.areas.documents import service
from shared.areas.documents.models import UploadForClient
from shared.areas.emails.telling import telling
from shared.runtime import Call, Form, endpoint


@endpoint
async def documents_upload_client(call: Call, body: Form) -> dict[str, Any]:
    """Give a client documents, for review if asked. Spec api-accounts DO6."""
    asked = body.parsed(UploadForClient)
    uploads = body.files("client_doc", at_most=service.MAX_FILES)
    await service.require_client(call.db, asked.user_id)
    kept = await service.keep(
        call.db, call.services.storage, uploads, field="client_doc", owner_id=asked.user_id, by=call.user.id
    )
    async with call.transaction() as tx:
        docs = await service.add_for_client(tx, asked, kept, by=call.user.id, telling=telling(call.services))
    return {"message": "Documents uploaded.", "docs": docs}
