from typing import Any

from shared.areas.documents import service
from shared.areas.documents.models import SharedTexts
from shared.runtime import Call, Form, endpoint


@endpoint
async def documents_upload_shared(call: Call, body: Form) -> dict[str, Any]:
    """Share documents with everybody who is signed in. Spec api-accounts DO11."""
    texts = body.parsed(SharedTexts)
    uploads = body.files("shared_doc", at_most=service.MAX_FILES)
    kept = await service.keep(
        call.db, call.services.storage, uploads, field="shared_doc", owner_id=None, by=call.user.id
    )
    async with call.transaction() as tx:
        shared = await service.add_shared(tx, kept, texts.labels, texts.descriptions, by=call.user.id)
    return {"message": "Documents shared.", "shared_docs": shared}
