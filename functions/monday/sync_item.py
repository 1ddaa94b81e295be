from functions.monday import outside
from shared.areas.monday import sync
from shared.areas.monday.models import SyncItem
from shared.runtime import Job, task


@task
async def monday_sync_item(job: Job, body: SyncItem) -> None:
    """Bring one task and its item at Monday to the same, whichever side changed."""
    await sync.settle(outside(job), body)
