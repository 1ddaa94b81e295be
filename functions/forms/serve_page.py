from pydantic import BaseModel
from starlette.responses import HTMLResponse

from functions.forms import visitor
from shared.areas.forms import pages, service
from shared.errors import Problem
from shared.runtime import Call, endpoint


class PageQuery(BaseModel):
    """Both JSON, as the embed script tells: where the visitor came from, and how this embed wants to look."""

    attribution: str = ""
    theme: str = ""


@endpoint
async def forms_serve_page(call: Call, query: PageQuery) -> HTMLResponse:
    """The page of a published form, made to stand in a frame on the client's site. Spec api-forms P2.

    People see this answer, so what is wrong is told as a page too.
    """
    try:
        content, headers = await service.show_page(
            call.db,
            call.id("form_id"),
            visitor(call),
            attribution=query.attribution,
            theme=query.theme,
            app_base_url=call.services.settings.app_base_url,
            image_sources=call.services.settings.csp_img_src,
            key=await call.services.key("JWT_SECRET"),
        )
    except Problem as problem:
        return HTMLResponse(pages.refusal(problem.message), status_code=problem.status, headers=pages.refusal_headers())
    return HTMLResponse(content, headers=headers)
