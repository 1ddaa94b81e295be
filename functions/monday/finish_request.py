from functions.monday import outside
from shared.areas.monday import requests
from shared.areas.monday.models import FinishRequest
from shared.runtime import Job, task


@task
async def monday_finish_request(job: Job, body: FinishRequest) -> None:
    """Make a request's item, if whoever submitted it did not wait for it, and bring to it what it lacks."""
    await requests.finish(outside(job), body)
