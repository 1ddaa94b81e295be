from shared.areas.emails import service
from shared.areas.emails.models import TrackMail
from shared.runtime import Job, event


@event
async def emails_track(job: Job, body: TrackMail) -> None:
    """Bring a mail's row up to what Mailgun's events say. Seeds DATA_FLOWS §8."""
    async with job.finish() as tx:
        await service.track(tx, body.event_id)
