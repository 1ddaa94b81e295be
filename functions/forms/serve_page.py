from pydantic import BaseModel
from starlette.responses import HTMLResponse

from functions.forms import visitor
from shared.areas.forms import pages, service
from shared.errors import Problem
from shared.runtime import Call, endpoint


class PageQuery(BaseModel):
    """``attribution``: JSON of where the visitor came from, as the embed script tells it."""

    attribution: str = ""


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
            app_base_url=call.services.settings.app_base_url,
            key=await call.services.key("JWT_SECRET"),
        )
    except Problem as problem:
        return HTMLResponse(pages.refusal(problem.message), status_code=problem.status, headers=pages.refusal_headers())
    return HTMLResponse(content, headers=headers)
