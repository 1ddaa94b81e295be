from shared.areas.emails import service
from shared.areas.emails.models import SendMail
from shared.errors import Park, TryLater, VendorError
from shared.runtime import Job, task


@task
async def emails_send(job: Job, body: SendMail) -> None:
    """Send one logged mail, once."""
    try:
        refused = await service.deliver(job.db, await service.sending(job.services), body.email_log_id)
    except VendorError as error:
        if job.delivery.last_attempt or not isinstance(error, TryLater):
            await service.give_up(job.db, body.email_log_id, str(error))
        raise
    if refused is not None:
        raise Park(refused)
