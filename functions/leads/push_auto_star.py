from functions.leads import outside
from shared.areas.leads import ratings
from shared.areas.leads.models import PushRating
from shared.runtime import Job, task


@task
async def leads_push_auto_star(job: Job, body: PushRating) -> None:
    """Post the stars that a label gave to CTM, behind no person's rating and holding up none."""
    await ratings.push(outside(job), job.finish, body)
