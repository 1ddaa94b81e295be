from shared.areas.leads import board
from shared.areas.leads.models import CreateTag
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_create_tag(call: Call, body: CreateTag) -> Json:
    """Create a tag; one of that name gets the colour that is given. Spec L25."""
    async with call.transaction() as tx:
        return Json('{"tag":' + await board.create_tag(tx, call.subject_id, body) + "}")
