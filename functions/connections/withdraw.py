from functions.connections import outside
from shared.areas.connections import withdrawal_store, withdrawals
from shared.areas.connections.models import Withdraw
from shared.runtime import Job, task


@task
async def connections_withdraw(job: Job, body: Withdraw) -> None:
    """Take a consent back at its vendor, unless somebody has connected it again meanwhile."""
    outcome = await withdrawals.carry_out(outside(job), job.services.wordpress_site, body)
    async with job.finish() as tx:
        if outcome is not None:
            await withdrawal_store.finish(tx, body.withdrawal_id, outcome)
