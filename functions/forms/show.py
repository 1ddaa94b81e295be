from functions.forms import editor
from shared.areas.forms import builder
from shared.runtime import Call, Json, endpoint


@endpoint
async def forms_show(call: Call) -> Json:
    """A form with its newest version's content and all its versions. Spec api-forms F2."""
    return Json(await builder.show_form(call.db, editor(call), call.id("id")))
