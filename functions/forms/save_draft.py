from functions.forms import visitor
from shared.areas.forms import service
from shared.areas.forms.models import DraftSave, DraftSaved
from shared.runtime import Call, endpoint


@endpoint
async def forms_save_draft(call: Call, body: DraftSave) -> DraftSaved:
    """Keep half-filled answers for later, encrypted. Spec api-forms P7."""
    services = call.services
    return await service.save_draft(
        call.db,
        call.id("form_id"),
        body,
        visitor(call),
        key=await services.key("JWT_SECRET"),
        hash_key=await services.key("HASH_KEY"),
        key_ring=await services.key_ring(),
    )
