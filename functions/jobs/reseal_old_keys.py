from shared.areas.jobs import resealing
from shared.runtime import Job, log, schedule


@schedule
async def jobs_reseal_old_keys(job: Job) -> None:
    """Seal with the current key what an older key has sealed. Daily; does nothing while the key stays."""
    await job.services.renew_key_ring()
    done = await resealing.reseal(job.db, await job.services.key_ring())
    for table, row in done.unreadable:
        log.error("sealed_value_unreadable", table=table, row=row)
    log.info("resealed", **done.changed, unreadable=len(done.unreadable))
