from functions.reviews import outside
from shared.areas.reviews import replies
from shared.areas.reviews.models import SendReply
from shared.errors import TryLater
from shared.runtime import Job, log, task


@task
async def reviews_send_reply(job: Job, body: SendReply) -> None:
    """Post a review's reply to Google; while Google is out it waits, and is said to have failed only after hours."""
    world = outside(job)
    try:
        await replies.send(world, body.client_id, body.review_id)
    except replies.ReplyFailed as failure:
        log.warning("reply_failed", review_id=body.review_id, reason=failure.message)
    except TryLater:
        if job.delivery.last_attempt:
            await replies.give_up(world, body.client_id, body.review_id)
        raise
