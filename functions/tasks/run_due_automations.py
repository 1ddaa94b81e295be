from functions.tasks import agency_day
from shared.areas.emails.telling import telling
from shared.areas.tasks import automation_runs
from shared.areas.tasks.automation_runs import Ran
from shared.runtime import Job, log, schedule

_AT_ONCE = 50  # items in one commit


@schedule
async def tasks_run_due_automations(job: Job) -> None:
    """Run the automations about due dates, each once for an item and its date. Hourly."""
    day, told, ran = agency_day(job.services), telling(job.services), Ran()
    for rule in await automation_runs.due_rules(job.db):
        more = True
        while more:
            async with job.transaction() as tx:
                more = await automation_runs.run_due(tx, rule, day, told, ran, at_most=_AT_ONCE)
    log.info("due_automations_ran", **ran.counts)
