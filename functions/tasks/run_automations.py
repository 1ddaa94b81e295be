from shared.areas.emails.telling import telling
from shared.areas.tasks import automation_runs
from shared.areas.tasks.changes import ItemChanged
from shared.runtime import Job, event, log


@event
async def tasks_run_automations(job: Job, body: ItemChanged) -> None:
    """Run the automations that a change of an item starts, each once."""
    happened = automation_runs.starts(body, job.delivery.key)
    async with job.finish() as tx:
        ran = await automation_runs.run_for_change(tx, body.item_id, happened, telling(job.services))
    if ran.counts:
        log.info("automations_ran", **ran.counts)
