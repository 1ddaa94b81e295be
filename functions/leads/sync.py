from functions.leads import outside
from shared.areas.leads import service, sync
from shared.areas.leads.models import SyncDue
from shared.errors import Problem, VendorError
from shared.runtime import Job, event, log


@event
async def leads_sync(job: Job, body: SyncDue) -> None:
    """Read one client's calls from CTM. What fails is read by the next poll, so a message is never tried again."""
    try:
        done = await sync.sync(outside(job), body.client_id, full=False, budget=service.IN_BACKGROUND)
    except (Problem, VendorError) as error:
        log.warning("sync_failed", client_id=body.client_id, reason=str(error))
        return
    log.info("synced", client_id=body.client_id, new=done.new, updated=done.updated, pages=done.pages)
