from functions.forms import editor
from shared.areas.forms import builder
from shared.areas.forms.builder_models import ListQuery
from shared.runtime import Call, Json, endpoint


@endpoint
async def forms_list(call: Call, query: ListQuery) -> Json:
    """List the forms within the caller's reach, last changed first. Spec api-forms F1."""
    return Json(await builder.list_forms(call.db, editor(call), query))
