from shared.areas.monday import sync
from shared.areas.tasks.changes import ItemChanged
from shared.runtime import Job, event


@event
async def monday_follow_item(job: Job, body: ItemChanged) -> None:
    """Have a task that changed here brought to Monday, where its board is a client's that is synced."""
    async with job.finish() as tx:
        await sync.follow(tx, body)
