from functions.forms import editor
from shared.areas.forms import builder
from shared.runtime import Call, Json, endpoint


@endpoint
async def forms_show_version(call: Call) -> Json:
    """One version with its content. Spec api-forms F6."""
    version = await builder.show_version(call.db, editor(call), call.id("id"), call.id("versionId"))
    return Json(f'{{"version":{version}}}')
