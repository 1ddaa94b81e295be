from shared.areas.accounts import service
from shared.areas.accounts.means import means
from shared.runtime import Job, log, schedule


@schedule
async def accounts_purge_expired(job: Job) -> None:
    """Delete ended sessions, spent codes and links, old limits, and audit events of more than a year ago. Daily."""
    log.info("purged", **await service.purge(job.db, await means(job.services)))
