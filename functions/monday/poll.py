from functions.monday import outside
from shared.areas.monday import service, sync
from shared.runtime import Job, log, schedule


@schedule
async def monday_poll(job: Job) -> None:
    """Have every synced client's items read from Monday, and learn once a day who is who there. Every five minutes."""
    await service.refresh_people(outside(job))
    async with job.finish() as tx:
        clients = await sync.fan_out(tx)
    log.info("monday_polled", clients=clients)
