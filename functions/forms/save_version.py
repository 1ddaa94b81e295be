import json

from functions.forms import editor
from shared.areas.forms import builder
from shared.areas.forms.builder_models import SaveVersion
from shared.runtime import Call, Json, endpoint


@endpoint(status=201)
async def forms_save_version(call: Call, body: SaveVersion) -> Json:
    """Keep what the editor shows as the newest version; visitors go on seeing the published one. Spec api-forms F7."""
    async with call.transaction() as tx:
        version, warnings = await builder.save_version(tx, editor(call), call.id("id"), body)
    return Json(f'{{"version":{version},"warnings":{json.dumps(warnings)}}}')
