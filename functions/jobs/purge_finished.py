from shared.areas.jobs import service
from shared.runtime import Job, log, schedule


@schedule
async def jobs_purge_finished(job: Job) -> None:
    """Delete finished work, old claims, counters and expired drafts. Daily."""
    log.info("purged", **await service.purge_finished(job.db))
