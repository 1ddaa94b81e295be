from functions.forms import editor
from shared.areas.forms import ai
from shared.areas.forms.builder_models import Generated
from shared.runtime import Call, Form, endpoint


@endpoint
async def forms_read_pdf(call: Call, body: Form) -> Generated:
    """A form from the pages of a PDF. Spec api-forms F13."""
    services, who, form_id = call.services, editor(call), call.id("id")
    made = await ai.from_upload(call.db, services.ai, services.storage, services.settings, who, form_id, "pdf", body)
    async with call.transaction() as tx:
        await ai.record_run(tx, who, form_id, made)
    return made.form
