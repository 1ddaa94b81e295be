from shared.areas.clients import service
from shared.runtime import Call, Json, endpoint


@endpoint
async def clients_list_own_services(call: Call) -> Json:
    """List the client's services by name, inactive ones too. Spec api-leads V1."""
    return Json('{"services":' + await service.own_services(call.db, call.subject_id) + "}")
