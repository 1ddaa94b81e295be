from functions.forms import editor
from shared.areas.forms import builder
from shared.areas.forms.builder_models import PageQuery
from shared.runtime import Call, Json, endpoint


@endpoint
async def forms_list_audit(call: Call, query: PageQuery) -> Json:
    """Who did what with a form and its submissions, newest first. Spec api-forms F12."""
    page = {"limit": query.limit, "offset": query.offset}
    return Json(await builder.list_audit(call.db, editor(call), call.id("id"), **page))
