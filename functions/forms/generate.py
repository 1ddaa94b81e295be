from functions.forms import editor
from shared.areas.forms import ai
from shared.areas.forms.builder_models import Describe, Generated
from shared.runtime import Call, endpoint


@endpoint
async def forms_generate(call: Call, body: Describe) -> Generated:
    """A form from a description in words. Spec api-forms F18."""
    services, who, form_id = call.services, editor(call), call.id("id")
    made = await ai.from_description(call.db, services.ai, services.settings, who, form_id, body.description)
    async with call.transaction() as tx:
        await ai.record_run(tx, who, form_id, made)
    return made.form
