from urllib.parse import quote

from starlette.responses import Response

from functions.forms import editor
from shared.areas.forms import submissions
from shared.runtime import Call, endpoint


@endpoint
async def forms_download_pdf(call: Call) -> Response:
    """A submission's PDF; whoever takes it is in the trail. Spec api-forms F21."""
    name, data = await submissions.read_pdf(
        call.db,
        editor(call),
        call.id("id"),
        call.id("submissionId"),
        call.id("artifactId"),
        bucket=call.services.storage,
        ring=await call.services.key_ring(),
    )
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(data, media_type="application/pdf", headers={**headers, "Cache-Control": "no-store"})
