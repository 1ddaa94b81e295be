from functions.forms import editor
from shared.areas.forms import builder
from shared.runtime import Call, Json, endpoint


@endpoint
async def forms_list_versions(call: Call) -> Json:
    """A form's versions without their content, newest first."""
    return Json(await builder.list_versions(call.db, editor(call), call.id("id")))
