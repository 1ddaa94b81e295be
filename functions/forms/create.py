from functions.forms import editor
from shared.areas.forms import builder
from shared.areas.forms.builder_models import CreateForm
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def forms_create(call: Call, body: CreateForm) -> Json:
    """Make a form with a first version that works as it is. Spec api-forms F3."""
    async with call.transaction() as tx:
        return Json(await builder.create_form(tx, editor(call), body))
