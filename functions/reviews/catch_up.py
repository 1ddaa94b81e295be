from functions.reviews import outside
from shared.areas.reviews import automation
from shared.areas.reviews.models import CatchUp
from shared.runtime import Job, task

WITHIN_S = 40


@task
async def reviews_catch_up(job: Job, body: CatchUp) -> None:
    """Judge the mood of a client's older reviews, some at a time, until none is left."""
    await automation.catch_up(outside(job), body, within_s=WITHIN_S)
    async with job.finish() as tx:
        await automation.go_on(tx, body)
