from functions.reviews import outside
from shared.areas.reviews import automation
from shared.areas.reviews.models import Evaluate
from shared.runtime import Job, task


@task
async def reviews_evaluate(job: Job, body: Evaluate) -> None:
    """Judge the mood of a new or edited review; tell of a new one, and let the rules look at it, once."""
    world = outside(job)
    review = await automation.find(world, body)
    if review is None:
        return
    judged = await automation.judge_mood(world, review, last_attempt=job.delivery.last_attempt)
    async with job.finish() as tx:
        await automation.keep(tx, world, body, judged)
