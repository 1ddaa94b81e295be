from shared.areas.leads import board
from shared.areas.leads.models import SaveView
from shared.runtime import Call, Json, endpoint


@endpoint
async def leads_save_view(call: Call, body: SaveView) -> Json:
    """Save filters as a view; a default one replaces the default. Spec L31."""
    async with call.transaction() as tx:
        return Json('{"view":' + await board.save_view(tx, call.subject_id, body) + "}")
