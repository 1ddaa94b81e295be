from functions.reviews import outside
from shared.areas.reviews import replies, sync
from shared.runtime import Job, log, schedule


@schedule
async def reviews_poll_google(job: Job) -> None:
    """Have the reviews of every location whose turn it is read from Google, and give up replies that nobody tries any
    more. Every fifteen minutes."""
    async with job.finish() as tx:
        locations = await sync.fan_out(tx)
    log.info("google_polled", locations=locations)
    await replies.give_up_lost(outside(job))
