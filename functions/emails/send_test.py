from shared.areas.emails import service
from shared.areas.emails.models import Queued, TestMail
from shared.runtime import Call, endpoint


@endpoint
async def emails_send_test(call: Call, body: TestMail) -> Queued:
    """Send a mail to see that mail works; the log shows what becomes of it. Spec api-accounts EM1."""
    async with call.transaction() as tx:
        log_id = await service.send_test(tx, body, by=call.user.id, key_ring=call.services.key_ring)
    return Queued(id=log_id, message="Queued. Thank you.")
