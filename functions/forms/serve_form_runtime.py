from uuid import UUID

from pydantic import BaseModel
from starlette.responses import Response

from functions.forms import visitor
from shared.areas.forms import pages, service
from shared.runtime import Call, endpoint


class RuntimeQuery(BaseModel):
    """``version``: the one that the page shows; without it, the published one."""

    version: UUID | None = None


@endpoint
async def forms_serve_form_runtime(call: Call, query: RuntimeQuery) -> Response:
    """The script of a form's page: binds the author's form, then runs the author's script. Spec api-forms P3."""
    script = await service.form_runtime(call.db, call.id("form_id"), visitor(call), version_id=query.version)
    return Response(script, headers=pages.script_headers())
