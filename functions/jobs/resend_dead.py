from shared.areas.jobs import service
from shared.areas.jobs.models import Resent
from shared.runtime import Call, endpoint


@endpoint
async def jobs_resend_dead(call: Call) -> Resent:
    """Send dead work again; 404 when nothing of this id is dead."""
    async with call.transaction() as tx:
        await service.resend(tx, call.id("work_id"))
    return Resent()
