from shared.areas.files import service
from shared.runtime import Job, log, schedule


@schedule
async def files_sweep(job: Job) -> None:
    """Delete uploads that no row took, and files whose owner is gone. Hourly."""
    async with job.finish() as tx:
        swept = await service.sweep(tx)
    log.info("files_swept", files=swept)
