from datetime import UTC, datetime
from typing import Any

from shared.areas.emails import service
from shared.areas.emails.models import Received
from shared.errors import Invalid
from shared.integrations.mailgun import webhook
from shared.runtime import Call, endpoint


@endpoint
async def emails_receive_mailgun(call: Call, body: dict[str, Any]) -> Received:
    """Take an event of Mailgun's, proved by its signature; it is applied by emails_track. Spec webhooks §2."""
    now = datetime.now(UTC)
    key = await call.services.key("MAILGUN_WEBHOOK_SIGNING_KEY")
    token = webhook.verify(body.get("signature"), key, now=now)
    told = body.get("event-data")
    if not isinstance(told, dict):
        raise Invalid.field("event-data", "must be an object")
    async with call.transaction() as tx:
        return await service.receive(tx, webhook.parse(told, now=now), token)
