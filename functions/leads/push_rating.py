from functions.leads import outside
from shared.areas.leads import ratings
from shared.areas.leads.models import PushRating
from shared.runtime import Job, task


@task
async def leads_push_rating(job: Job, body: PushRating) -> None:
    """Post a person's rating of a call to CTM, as it is now; while CTM is out, it waits and is never taken back."""
    await ratings.push(outside(job), job.finish, body)
