from shared.areas.documents import service
from shared.runtime import Call, Form, Json, endpoint


@endpoint
async def documents_upload(call: Call, body: Form) -> Json:
    """Keep documents of the client's own; answers the whole list. Spec api-accounts DO2."""
    owner, by = call.subject_id, call.user.id
    uploads = body.files("client_doc", at_most=service.MAX_FILES)
    kept = await service.keep(call.db, call.services.storage, uploads, field="client_doc", owner_id=owner, by=by)
    defaults = call.services.settings.default_documents
    async with call.transaction() as tx:
        return Json(await service.add_own(tx, owner, kept, by=by, defaults=defaults))
