from datetime import UTC, datetime
from typing import Any

from shared.runtime import Call, endpoint


@endpoint
async def jobs_check_health(call: Call) -> dict[str, Any]:
    """Say that this instance answers; touches nothing else. Spec api-reviews-webhooks-jobs §4."""
    return {"ok": True, "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")}
