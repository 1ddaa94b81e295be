from starlette.responses import HTMLResponse, PlainTextResponse, Response

from functions.forms import editor
from shared.areas.forms import submissions
from shared.areas.forms.builder_models import PrintQuery
from shared.errors import Problem
from shared.runtime import Call, endpoint


@endpoint
async def forms_print_submission(call: Call, query: PrintQuery) -> Response:
    """A submission in its version's own print template. Spec api-forms F11: a page, so what is wrong is text too."""
    ring = await call.services.key_ring()
    try:
        ids = call.id("id"), call.id("submissionId")
        async with call.transaction() as tx:
            content, headers = await submissions.print_page(
                tx, editor(call), *ids, ring, opens_dialog=query.opens_dialog
            )
    except Problem as problem:
        return PlainTextResponse(problem.message, status_code=problem.status)
    return HTMLResponse(content, headers=headers)
