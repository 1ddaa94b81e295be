from shared.areas.connections import upkeep
from shared.areas.connections.models import ConnectionBroken
from shared.areas.emails.telling import telling
from shared.runtime import Job, event


@event
async def connections_announce_break(job: Job, body: ConnectionBroken) -> None:
    """Tell the head staff of a connection that somebody must connect again."""
    async with job.finish() as tx:
        await upkeep.announce_break(tx, body, telling(job.services))
