from shared.areas.tasks import retention
from shared.runtime import Job, log, schedule


@schedule
async def tasks_archive_done(job: Job) -> None:
    """Archive items that were done and not touched for a month. Daily; seeds DATA_FLOWS §5."""
    days = retention.days_kept(job.services.settings.task_archive_retention_days)
    log.info("tasks_archived", items=await retention.archive_done(job, days=days))
