from functions.reviews import outside
from shared.areas.reviews import sync
from shared.areas.reviews.models import SyncDue
from shared.errors import Problem, VendorError
from shared.runtime import Job, event, log

WITHIN_S = 150


@event
async def reviews_sync(job: Job, body: SyncDue) -> None:
    """Read one location's reviews. What fails is asked for by the next poll, so a message is never tried again."""
    try:
        done = await sync.sync_due(outside(job), body, within_s=WITHIN_S)
    except (Problem, VendorError) as error:
        log.warning("reviews_not_synced", location_id=body.location_id, reason=str(error))
        return
    log.info("reviews_synced", location_id=body.location_id, read=done.read, new=done.new, skipped=done.skipped)
