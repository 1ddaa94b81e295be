from shared.areas.journeys import active_clients
from shared.runtime import Job, log, schedule


@schedule
async def journeys_redact(job: Job) -> None:
    """Redact services sold and concerns of journeys after 90 days, of all clients.

    Daily at 07:00 UTC, which is 2 o'clock of New York's winter.
    """
    log.info("redacted", **await active_clients.redact(job.db, None))
