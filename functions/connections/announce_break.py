from functions.connections import mail_site
from shared.areas.connections import upkeep
from shared.areas.connections.models import ConnectionBroken
from shared.runtime import Job, event


@event
async def connections_announce_break(job: Job, body: ConnectionBroken) -> None:
    """Tell the head staff of a connection that somebody must connect again."""
    async with job.finish() as tx:
        await upkeep.announce_break(tx, body, site=mail_site(job), key_ring=job.services.key_ring)
