from functions.forms import editor
from shared.areas.forms import submissions
from shared.runtime import Call, Json, endpoint


@endpoint
async def forms_list_pdfs(call: Call) -> Json:
    """The PDFs made of a submission, newest first. Spec api-forms F22."""
    return Json(await submissions.list_pdfs(call.db, editor(call), call.id("id"), call.id("submissionId")))
