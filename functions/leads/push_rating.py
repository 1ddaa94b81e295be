from functions.leads import outside
from shared.areas.leads import ratings
from shared.areas.leads.models import PushRating
from shared.areas.leads.outside import Pausing
from shared.errors import Reconnect, Rejected
from shared.runtime import Job, task


@task
async def leads_push_rating(job: Job, body: PushRating) -> None:
    """Post a call's rating to CTM as it is now.

    While CTM is out, the rating waits, and one task for each client asks again every few seconds; when CTM answers that
    one, all the others follow.
    """
    try:
        await ratings.post(outside(job), body)
    except Pausing as pausing:
        async with job.finish() as tx:
            await ratings.ask_again(tx, body, pausing)
        return
    except (Rejected, Reconnect):
        if body.call_id is not None:
            raise
    if body.call_id is None:
        async with job.finish() as tx:
            await ratings.follow(tx, body.owner_id)
