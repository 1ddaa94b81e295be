import time

from functions.reviews import outside
from shared.areas.reviews import automation
from shared.areas.reviews.models import RunRule
from shared.errors import TryLater, VendorError
from shared.runtime import Job, task


@task
async def reviews_run_rule(job: Job, body: RunRule) -> None:
    """Write the reply that a rule or the settings asked for, and have it sent where the rule may."""
    world = outside(job)
    found = await automation.pending(world, body)
    if isinstance(found, str):
        await automation.settle(world, body, "skipped", found)
        return
    review, rule = found
    started = time.monotonic()
    try:
        text, params, system = await automation.compose(world, review, rule)
    except VendorError as error:
        if isinstance(error, TryLater) and not job.delivery.last_attempt:
            raise
        await automation.settle(world, body, "failed", str(error))
        return
    took_ms = round((time.monotonic() - started) * 1000)
    async with job.finish() as tx:
        await automation.keep_written(
            tx, body, rule, text, model=world.model, params=params, system=system, took_ms=took_ms
        )
