from typing import Any

from shared.areas.onboarding import service
from shared.runtime import Call, endpoint


@endpoint
async def onboarding_load(call: Call) -> dict[str, Any]:
    """Show the wizard's state to the signed-in client. Spec api-accounts ON2."""
    return await service.load(call.db, call.subject_id)
