from functions.forms import editor
from shared.areas.forms import ai, audit
from shared.areas.forms.builder_models import EditCode, Edited
from shared.runtime import Call, endpoint


@endpoint
async def forms_edit_with_ai(call: Call, body: EditCode) -> Edited:
    """The code with a change that was asked for in words, and what differs. Nothing is kept. Spec api-forms F16."""
    services, who, form_id = call.services, editor(call), call.id("id")
    await ai.admit(call.db, who, form_id, services.settings)
    edited = await ai.edit(call.db, services.ai, services.settings, who, form_id, body)
    await audit.record(call.db, who, "ai.edited", "form", form_id, form_id=form_id)
    return edited
