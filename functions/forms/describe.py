from pydantic import BaseModel
from starlette.responses import Response

from functions.forms import visitor
from shared.areas.forms import pages, service
from shared.areas.forms.models import PublicForm
from shared.runtime import Call, endpoint


class DescribeQuery(BaseModel):
    """``token``: the form's embed token, for whoever reads it without a page of an allowed site."""

    token: str = ""


@endpoint
async def forms_describe(call: Call, query: DescribeQuery) -> PublicForm | Response:
    """A published form as data; asked for as a script (seed: a page's script tag), the embed script. Spec P1, P5."""
    headers = call.request.headers
    wants_script = headers.get("sec-fetch-dest") == "script" or "javascript" in headers.get("accept", "")
    if wants_script and not call.request.url.path.endswith("/json"):
        script = pages.embed_script(call.services.settings.app_base_url)
        return Response(script, headers={**pages.script_headers(cached_s=3600), "Vary": "Accept, Sec-Fetch-Dest"})
    return await service.describe(call.db, call.id("form_id"), visitor(call), token=query.token)
