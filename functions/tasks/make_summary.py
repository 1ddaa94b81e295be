from functions.tasks import thinking
from shared.areas.tasks import summaries
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def tasks_make_summary(call: Call) -> Json:
    """Have the AI summarise an item; its newest updates stand in when it does not answer. Spec api-tasks §10."""
    return Json(f'{{"summary":{await summaries.make(thinking(call), call.id("itemId"), by=call.user.id)}}}')
