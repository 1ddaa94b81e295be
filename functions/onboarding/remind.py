from datetime import timedelta

from shared.areas.onboarding import finishing
from shared.runtime import Job, log, schedule


@schedule
async def onboarding_remind(job: Job) -> None:
    """Remind clients before their link ends, and tell staff after it did. Every half hour."""
    telling = finishing.telling(job.services)
    before = timedelta(hours=job.services.settings.onboarding_reminder_before_h)
    clients = staff = 0
    more = True
    while more:
        async with job.transaction() as tx:
            more = await finishing.remind_client(tx, telling, before=before)
        clients += more
    more = True
    while more:
        async with job.transaction() as tx:
            more = await finishing.remind_staff(tx, telling)
        staff += more
    log.info("onboarding_reminded", clients=clients, staff=staff)
