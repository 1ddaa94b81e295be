from functions.leads import outside
from shared.areas.leads import service
from shared.areas.leads.models import ListCalls
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_list_calls(call: Call, query: ListCalls) -> Json:
    """List the client's calls: filtered, searched, sorted, paged; ``sync=true`` reads CTM first. Spec L1, L2."""
    if query.sync:
        return Json(await service.list_with_sync(outside(call), call.subject_id, query))
    return Json(await service.list_calls(call.db, call.subject_id, query))
