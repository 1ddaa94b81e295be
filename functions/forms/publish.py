import json

from functions.forms import editor
from shared.areas.forms import builder
from shared.runtime import Call, Json, endpoint


@endpoint
async def forms_publish(call: Call) -> Json:
    """Show a version to visitors, a new one or an older one again, in one commit. Spec api-forms F8."""
    async with call.transaction() as tx:
        version, warnings = await builder.publish(tx, editor(call), call.id("id"), call.id("versionId"))
    return Json(f'{{"version":{version},"status":"published","warnings":{json.dumps(warnings)}}}')
