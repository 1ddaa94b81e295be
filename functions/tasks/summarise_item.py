from functions.tasks import thinking
from shared.areas.tasks import summaries
from shared.areas.tasks.summaries import Summarise
from shared.runtime import Job, task


@task
async def tasks_summarise_item(job: Job, body: Summarise) -> None:
    """Ask the AI again for a summary that it could not make when a person asked."""
    await summaries.replace_stand_in(thinking(job), body)
