from shared.areas.reviews import sync
from shared.runtime import Job, log, schedule


@schedule
async def reviews_poll_google(job: Job) -> None:
    """Have the reviews of every location whose turn it is read from Google. Every fifteen minutes."""
    async with job.finish() as tx:
        locations = await sync.fan_out(tx)
    log.info("google_polled", locations=locations)
