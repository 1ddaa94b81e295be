from starlette.responses import Response

from functions.forms import editor
from shared.areas.forms import builder
from shared.areas.forms.builder_models import PreviewQuery
from shared.runtime import Call, endpoint


@endpoint
async def forms_print_blank(call: Call, query: PreviewQuery) -> Response:
    """A version's questions on paper, with room to answer them by hand."""
    drawn = await builder.draw_blank(call.db, editor(call), call.id("id"), query.version)
    headers = {"Content-Disposition": f'inline; filename="{drawn.name}"'}
    return Response(drawn.data, media_type="application/pdf", headers=headers)
