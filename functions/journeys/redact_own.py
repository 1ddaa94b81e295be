from typing import Any

from shared.areas.journeys import active_clients
from shared.runtime import Call, endpoint


@endpoint
async def journeys_redact_own(call: Call) -> dict[str, Any]:
    """Redact now what is old of this client; the schedule does it every night. Spec C6."""
    done = await active_clients.redact(call.db, call.subject_id)
    return {"success": True, **done, "redacted_count": done["services_redacted"]}
