from shared.areas.files import service as files
from shared.areas.onboarding import links
from shared.runtime import Call, Streamed, endpoint


@endpoint
async def onboarding_serve_file(call: Call) -> Streamed:
    """Send a client's file to whoever holds their link, who has no session yet."""
    row = await links.find(call.db, call.path["token"])
    opened = await files.open_owned(
        call.db, call.services.storage, call.id("file_id"), row["user_id"], cache="private, max-age=300"
    )
    return Streamed(opened.stream, opened.headers)
