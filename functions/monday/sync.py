from functions.monday import outside
from shared.areas.monday import sync
from shared.areas.monday.models import SyncDue
from shared.errors import VendorError
from shared.runtime import Job, event, log


@event
async def monday_sync(job: Job, body: SyncDue) -> None:
    """Look for what changed at Monday. What fails is looked at by the next poll, so a message is never tried again."""
    try:
        differing = await sync.look(outside(job), body)
    except VendorError as error:
        log.warning("monday_not_read", client_id=body.client_id, reason=str(error))
        return
    log.info("monday_read", client_id=body.client_id, differing=differing)
