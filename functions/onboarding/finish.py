from shared.areas.onboarding import finishing
from shared.areas.onboarding.models import Finish
from shared.runtime import Job, task


@task
async def onboarding_finish(job: Job, body: Finish) -> None:
    """Draw the summary of a finished onboarding, file it, and tell the client and staff."""
    telling = finishing.telling(job.services)
    state, kept = await finishing.summarise(job.db, job.services.storage, body.user_id)
    async with job.finish() as tx:
        await finishing.tell(tx, state, kept, telling)
