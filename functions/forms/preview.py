from starlette.responses import HTMLResponse

from functions.forms import editor
from shared.areas.forms import builder
from shared.areas.forms.builder_models import PreviewQuery
from shared.runtime import Call, endpoint


@endpoint
async def forms_preview(call: Call, query: PreviewQuery) -> HTMLResponse:
    """Any version as visitors would see it; what is entered there goes nowhere."""
    settings = call.services.settings
    content, headers = await builder.preview(
        call.db,
        editor(call),
        call.id("id"),
        query.version,
        app_base_url=settings.app_base_url,
        images=settings.csp_img_src,
    )
    return HTMLResponse(content, headers=headers)
