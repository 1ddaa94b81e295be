from shared.areas.tasks import retention
from shared.runtime import Job, log, schedule


@schedule
async def tasks_purge_archived(job: Job) -> None:
    """Delete items and subitems that were archived a month ago. Daily; seeds DATA_FLOWS §5."""
    days = retention.days_kept(job.services.settings.task_archive_retention_days)
    log.info("tasks_purged", **await retention.purge(job.db, days=days))
