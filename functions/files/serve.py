from shared.areas.files import service
from shared.areas.files.models import Viewer
from shared.runtime import Call, Streamed, endpoint


@endpoint
async def files_serve(call: Call) -> Streamed:
    """Send a file to whoever may see it. Also the paths of the old server's public folder. Spec api-accounts §0."""
    user = call.user
    viewer = Viewer(id=user.id, is_admin=user.is_admin, is_staff=user.role != "client")
    opened = await service.open_for(call.db, call.services.storage, call.path["folder"], call.path["name"], viewer)
    return Streamed(opened.stream, opened.headers)
