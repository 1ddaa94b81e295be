from typing import Any

from shared.runtime import Call, endpoint


@endpoint
async def jobs_check_readiness(call: Call) -> dict[str, Any]:
    """Say that the database answers and its schema is there; 503 when it does not."""
    version = await call.db.fetchval("select version_num from alembic_version")
    return {"ok": True, "schema": version}
