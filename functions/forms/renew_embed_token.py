from functions.forms import editor
from shared.areas.forms import builder
from shared.runtime import Call, Json, endpoint


@endpoint
async def forms_renew_embed_token(call: Call) -> Json:
    """Give a form a fresh embed token; the old one ends."""
    async with call.transaction() as tx:
        return Json(await builder.renew_embed_token(tx, editor(call), call.id("id")))
