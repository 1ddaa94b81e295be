from functions.monday import outside
from shared.areas.monday import service, sync
from shared.runtime import Job, log, schedule


@schedule
async def monday_poll(job: Job) -> None:
    """Ask Monday once on which boards something was done, and have those clients' items read. Every five minutes.

    Also, once a day, who is who there.
    """
    reached = outside(job)
    await service.refresh_people(reached)
    clients = await sync.news(reached)
    async with job.finish() as tx:
        waiting = await sync.hand_out(tx, clients)
    log.info("monday_polled", clients=len(clients), waiting=waiting)
