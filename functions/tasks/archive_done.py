from shared.areas.tasks import retention
from shared.runtime import Job, log, schedule


@schedule
async def tasks_archive_done(job: Job) -> None:
    """Archive items that were done long ago, and purge what was archived as long ago. Daily; seeds DATA_FLOWS §5."""
    days = retention.days_kept(job.services.settings.task_archive_retention_days)
    purged = await retention.purge(job.db, days=days)
    archived = await retention.archive_all_done(job, days=days)
    log.info("tasks_aged", archived=archived, **purged)
