from shared.areas.jobs import service
from shared.runtime import Job, event, log


@event(per_message=True)
async def jobs_record_dead(job: Job) -> None:
    """Keep a message that its listener refused too often, where people can see it and send it again.

    Pub/Sub names the subscription in an attribute; ours are named after their listeners.
    Source: https://cloud.google.com/pubsub/docs/handling-failures#track_forwarded_messages
    """
    subscription = (job.delivery.attributes or {}).get("CloudPubSubDeadLetterSourceSubscription", "")
    handler = subscription.rpartition("/")[2]
    outbox_id = job.delivery.outbox_id
    if outbox_id is None:
        log.error("dead_message_without_outbox_id", handler=handler)
        return
    log.error("event_dead", handler=handler, outbox_id=outbox_id)
    async with job.finish() as tx:
        await service.record_dead(tx, outbox_id, handler=handler)
