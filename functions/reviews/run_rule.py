from functions.reviews import outside
from shared.areas.reviews import rule_replies
from shared.areas.reviews.models import RunRule
from shared.runtime import Job, task


@task
async def reviews_run_rule(job: Job, body: RunRule) -> None:
    """Write the reply that a rule or the settings asked for, and have it sent where the rule may."""
    written = await rule_replies.write(outside(job), body, last_attempt=job.delivery.last_attempt)
    if written is not None:
        async with job.finish() as tx:
            await rule_replies.keep(tx, body, written)
