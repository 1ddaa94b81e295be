from starlette.responses import Response

from functions.forms import editor
from shared.areas.forms import attachments
from shared.runtime import Call, endpoint


@endpoint
async def forms_download_file(call: Call) -> Response:
    """A file that came with a submission; whoever takes it is in the trail."""
    data, headers = await attachments.read(
        call.db,
        editor(call),
        call.id("id"),
        call.id("submissionId"),
        call.id("fileId"),
        bucket=call.services.storage,
        ring=await call.services.key_ring(),
    )
    return Response(data, headers=dict(headers))
