from shared.areas.emails.telling import telling
from shared.areas.tasks import updates
from shared.areas.tasks.models import PostUpdate
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_post_update(call: Call, body: PostUpdate) -> Json:
    """Say something on an item; whom it mentions hears of it. Spec api-tasks §6."""
    await updates.may_post(call.db, call.user.id)
    async with call.transaction() as tx:
        return Json(await updates.post(tx, call.user.id, call.id("itemId"), body, telling(call.services)))
