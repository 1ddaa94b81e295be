from shared.areas.emails import service
from shared.areas.emails.models import SendMail
from shared.errors import Park
from shared.runtime import Job, task


@task
async def emails_send(job: Job, body: SendMail) -> None:
    """Send one logged mail, once."""
    refused = await service.deliver(job.db, await service.sending(job.services), body.email_log_id)
    if refused is not None:
        raise Park(refused)
