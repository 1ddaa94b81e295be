from functions.forms import editor
from shared.areas.forms import submissions
from shared.areas.forms.builder_models import PageQuery
from shared.runtime import Call, Json, endpoint


@endpoint
async def forms_list_submissions(call: Call, query: PageQuery) -> Json:
    """A form's submissions, newest first, without their answers. Spec api-forms F9."""
    page = {"limit": query.limit, "offset": query.offset}
    return Json(await submissions.list_rows(call.db, editor(call), call.id("id"), **page))
