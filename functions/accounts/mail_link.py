from shared.areas.accounts import links
from shared.areas.accounts.means import means
from shared.areas.accounts.models import MailLink
from shared.runtime import Job, task


@task
async def accounts_mail_link(job: Job, body: MailLink) -> None:
    """Mail the link that somebody asked for, when its address has an account that needs one."""
    outside = await means(job.services)
    async with job.finish() as tx:
        await links.mail_link(tx, body, outside)
