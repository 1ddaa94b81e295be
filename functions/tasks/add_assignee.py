from shared.areas.emails.telling import telling
from shared.areas.tasks import assignees
from shared.areas.tasks.models import WhichPerson
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_add_assignee(call: Call, body: WhichPerson) -> Json:
    """Assign somebody, who hears of it. Spec api-tasks §7."""
    await assignees.may_assign(call.db, call.user.id)
    async with call.transaction() as tx:
        return Json(await assignees.add(tx, call.user.id, call.id("itemId"), body, telling(call.services)))
