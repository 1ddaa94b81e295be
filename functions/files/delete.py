from shared.areas.files.models import DeleteObjects
from shared.runtime import Job, task


@task
async def files_delete(job: Job, body: DeleteObjects) -> None:
    """Delete objects whose rows are gone; what is not there is deleted."""
    for name in body.objects:
        await job.services.storage.delete(name)
