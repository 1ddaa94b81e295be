from functions.forms import editor
from shared.areas.forms import ai, audit
from shared.areas.forms.builder_models import DerivedSchema, ReadCode
from shared.runtime import Call, endpoint


@endpoint
async def forms_derive_schema(call: Call, body: ReadCode) -> DerivedSchema:
    """The fields that a form's code asks for. Spec api-forms F17."""
    services, who, form_id = call.services, editor(call), call.id("id")
    await ai.admit(call.db, who, form_id, services.settings)
    schema = await ai.derive_schema(services.ai, services.settings, body.react_code)
    await audit.record(call.db, who, "ai.schema_derived", "form", form_id, form_id=form_id)
    return DerivedSchema(schema_=schema)
