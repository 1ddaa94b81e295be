from functions.tasks import thinking
from shared.areas.tasks import overviews
from shared.areas.tasks.overviews import WriteOverview
from shared.runtime import Job, task


@task
async def tasks_write_overview(job: Job, body: WriteOverview) -> None:
    """Ask the AI again for an overview of the day that it could not write when a person asked."""
    await overviews.write_later(thinking(job), body)
