from starlette.responses import Response

from shared.areas.emails import assets
from shared.runtime import Call, endpoint


@endpoint
async def emails_serve_logo(call: Call) -> Response:
    """Send the logo that our mails show. Spec api-reviews-webhooks-jobs §6."""
    return Response(assets.logo(), media_type="image/png", headers={"Cache-Control": "public, max-age=86400"})
