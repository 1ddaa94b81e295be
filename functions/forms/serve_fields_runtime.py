from starlette.responses import Response

from shared.areas.forms import pages
from shared.runtime import Call, endpoint


@endpoint
async def forms_serve_fields_runtime(call: Call) -> Response:
    """The script that draws a form from its fields. Spec api-forms P4."""
    return Response(pages.fields_runtime(), headers=pages.script_headers())
