from functions.forms import editor
from shared.areas.forms import ai
from shared.areas.forms.builder_models import Describe, Generated
from shared.runtime import Call, endpoint


@endpoint
async def forms_generate(call: Call, body: Describe) -> Generated:
    """A form from a description in words. Spec api-forms F18."""
    services, who, form_id = call.services, editor(call), call.id("id")
    await ai.admit(call.db, who, form_id, services.settings)
    source = ai.Source(kind="description", instructions=body.description)
    run_id = ai.new_run()
    generated = await ai.generate(services.ai, services.settings, source, run_id)
    async with call.transaction() as tx:
        await ai.record_run(tx, who, form_id, run_id, source, None)
    return generated
