from functions.forms import editor
from shared.areas.forms import ai
from shared.areas.forms.builder_models import Generated
from shared.runtime import Call, Form, endpoint


@endpoint
async def forms_read_pdf_vision(call: Call, body: Form) -> Generated:
    """A form from a PDF and pictures of its pages, compared with the PDF's own words. Spec api-forms F14."""
    services, who, form_id = call.services, editor(call), call.id("id")
    made = await ai.from_upload(call.db, services.ai, services.storage, services.settings, who, form_id, "vision", body)
    async with call.transaction() as tx:
        await ai.record_run(tx, who, form_id, made)
    return made.form
