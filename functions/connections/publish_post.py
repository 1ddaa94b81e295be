from functions.connections import blogs, outside
from shared.areas.connections import publishing
from shared.areas.connections.models import PublishPost
from shared.runtime import Job, task


@task
async def connections_publish_post(job: Job, body: PublishPost) -> None:
    """Bring a post to its WordPress site, once."""
    await publishing.carry_out(outside(job), blogs(job), body, last_attempt=job.delivery.last_attempt)
