from shared.runtime import Job, log, outbox, schedule


@schedule
async def jobs_sweep_outbox(job: Job) -> None:
    """Send what was committed but never left, and again the tasks that their queue has lost. Every minute."""
    sent = await outbox.sweep(job.services)
    log.info("outbox_swept", sent=sent)
