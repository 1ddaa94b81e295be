from functions.forms import visitor
from shared.areas.forms import service
from shared.areas.forms.builder_models import PageStarted
from shared.runtime import Call, endpoint


@endpoint
async def forms_count_start(call: Call, body: PageStarted) -> None:
    """Count that a visitor began to answer; told by the form's own page."""
    key = await call.services.key("JWT_SECRET")
    await service.count_start(call.db, call.id("form_id"), body.page_token, visitor(call), key=key)
