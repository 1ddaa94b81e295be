from starlette.responses import Response

from shared.areas.forms import pages
from shared.runtime import Call, endpoint


@endpoint
async def forms_serve_embed_script(call: Call) -> Response:
    """The script that a site includes to show a form: global AnchorForms. Spec api-forms P1."""
    script = pages.embed_script(call.services.settings.app_base_url)
    return Response(script, headers=pages.script_headers(cached_s=3600))
