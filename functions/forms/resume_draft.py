from functions.forms import visitor
from shared.areas.forms import service
from shared.areas.forms.models import DraftResume, DraftResumed
from shared.runtime import Call, endpoint


@endpoint
async def forms_resume_draft(call: Call, body: DraftResume) -> DraftResumed:
    """Give back the answers kept under a token. Spec api-forms P8."""
    key_ring = await call.services.key_ring()
    return await service.resume_draft(call.db, call.id("form_id"), body.resume_token, visitor(call), key_ring)
