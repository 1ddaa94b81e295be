from shared.areas.tasks import attachments
from shared.runtime import Call, Form, Json, endpoint


@endpoint(status=201)
async def tasks_upload_file(call: Call, body: Form) -> Json:
    """Keep a file of an item. Spec api-tasks §6."""
    user_id, item_id = call.user.id, call.id("itemId")
    uploads = body.files("file", at_most=1)
    kept = await attachments.keep(call.db, call.services.storage, user_id, item_id, uploads)
    async with call.transaction() as tx:
        return Json(await attachments.add(tx, user_id, item_id, kept))
