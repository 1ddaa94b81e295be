from functions.leads import outside
from shared.areas.leads import labelling, sync
from shared.runtime import Job, log, schedule


@schedule
async def leads_poll_ctm(job: Job) -> None:
    """Have every connected client's calls read from CTM, and what waits elsewhere labelled. Every five minutes."""
    await labelling.send_unconnected(outside(job))
    async with job.finish() as tx:
        clients = await sync.fan_out(tx)
    log.info("ctm_polled", clients=clients)
