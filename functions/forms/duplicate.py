from functions.forms import editor
from shared.areas.forms import builder
from shared.areas.forms.builder_models import DuplicateForm
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def forms_duplicate(call: Call, body: DuplicateForm) -> Json:
    """Copy a form as a draft, for the same client, another one, or as the agency's own template."""
    async with call.transaction() as tx:
        return Json(await builder.duplicate_form(tx, editor(call), call.id("id"), body))
