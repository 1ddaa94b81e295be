from functions.forms import editor
from shared.areas.forms import builder
from shared.areas.forms.builder_models import UpdateForm
from shared.runtime import Call, Json, endpoint


@endpoint
async def forms_update(call: Call, body: UpdateForm) -> Json:
    """Change a form's name, description, kind, state, client or settings; also archive and restore it. Spec F4."""
    async with call.transaction() as tx:
        return Json(await builder.update_form(tx, editor(call), call.id("id"), body))
