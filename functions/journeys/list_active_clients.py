from shared.areas.journeys import active_clients
from shared.areas.journeys.models import ListActiveClients
from shared.runtime import Call, Json, endpoint


@endpoint
async def journeys_list_active_clients(call: Call, query: ListActiveClients) -> Json:
    """List the active clients, newest first, with what they agreed to. Spec C1."""
    archived = query.status == "archived"
    text = await active_clients.clients(call.db, call.subject_id, archived=archived)
    return Json('{"active_clients":' + text + "}")
